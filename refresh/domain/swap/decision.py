"""Hint, facts and wish in; `Swap`, `Skip` or `Refuse` out, each with a reason.

Decides what a VM's tags ask for and whether the app will do it. Refuses to know how facts were read and how a swap is
carried out. What cannot be read is refused: unknown means no.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.preflight.all_checks import check_facts
from refresh.domain.preflight.check import Check, first_failed
from refresh.domain.preflight.provenance import Policy
from refresh.domain.preflight.tags_readable import PROMISES as TAG_PROMISES
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts


@dataclass(frozen=True)
class Swap:
    """Make `disk` the VM's OS disk."""

    reason: Reason
    message: str
    disk: Disk
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Skip:
    """Nothing to do."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Refuse:
    """Something is asked for that the app will not do; the message says how to get it done."""

    reason: Reason
    message: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Revive:
    """A swap stopped this VM and all memory of it is lost: bring the VM up, whatever disk it has."""

    reason: Reason
    message: str


Decision = Swap | Revive | Skip | Refuse


def decide_swap(facts: Facts, policy: Policy, *, force: bool = False) -> Decision:
    """Say what to do about one VM; `force` overrides `rejected before` and nothing else."""
    if facts.vm is None:
        if facts.unreadable:
            return Refuse(facts.unreadable_reason, facts.unreadable)
        return Skip(Reason.VM_GONE, "the VM does not exist any more")
    settled = decide_settled(facts.vm, facts)
    if settled is not None:
        return settled
    checks = check_facts(facts, policy, force=force)
    told = first_failed(checks)
    if facts.unreadable and (told is None or told.promise not in TAG_PROMISES):
        return Refuse(facts.unreadable_reason, facts.unreadable, checks)
    if told is not None or facts.wanted is None:
        assert told is not None  # noqa: S101 - without a disk the check that it exists fails
        return Refuse(told.reason, told.message, checks)
    return Swap(Reason.WANTED, f"the tag asks for disk {facts.wanted.name}", facts.wanted, checks)


def decide_settled(vm: Vm, facts: Facts) -> Decision | None:
    """What there is to do about a VM that wants no swap; None where one is asked for."""
    if vm.own_tags.on_hold:
        return Skip(Reason.ON_HOLD, f"{tags.AUTO_REFRESH}=hold: the app leaves this VM alone")
    if not vm.own_tags.in_scope:
        return Skip(Reason.NOT_IN_SCOPE, vm.own_tags.why_out_of_scope)
    left = vm.own_tags.open_intent
    if left is not None and not is_intent_stale(facts) and vm.power.settled:
        return Revive(Reason.RECOVER, f"{left.run} stopped this VM and nobody finished it: bringing it up")
    wish = facts.wish
    if wish.problem is None and wish.disk_id is None:
        return Skip(Reason.NO_WISH, f"{tags.OS_DISK_NAME} is missing or empty: nothing is asked for")
    if wish.problem is None and resource_id.same(wish.disk_id, vm.os_disk_id):
        return Skip(Reason.ALREADY_THERE, "the VM already runs the disk its tag asks for")
    return None


def is_intent_stale(facts: Facts) -> bool:
    """Whether `RefreshState` has nothing to say: the VM runs, did not run before, or the swap is over or another VM's.

    Only asked about a VM that nobody is swapping. A stale mirror must go: it would have the app start a VM that its
    owner stops on purpose later.
    """
    vm = facts.vm
    if vm is None or vm.own_tags.refresh_state is None:
        return False
    left = vm.own_tags.open_intent
    if left is None or not left.was_running or left.run in facts.over:
        return True
    return vm.power is Power.RUNNING or not left.is_about(vm.id, vm.os_disk_name, vm.os_disk_id)


def find_lost_swap(facts: Facts) -> str | None:
    """What a person should know of a swap of this running VM that nobody remembers; None where there is none."""
    vm = facts.vm
    left = vm.own_tags.open_intent if vm is not None else None
    if vm is None or left is None or left.run in facts.over or vm.power is not Power.RUNNING:
        return None
    if not left.is_about(vm.id, vm.os_disk_name, vm.os_disk_id):
        return None
    return f"how {left.run} ended is not known: the VM runs disk {vm.os_disk_name}, and nobody has proved it"
