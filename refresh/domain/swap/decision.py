"""Decides from a VM's facts what happens to it: `Swap`, `Revive`, `Skip` or `Refuse`, each with a reason.

Does not know how facts are read or how a swap is carried out. What could not be read is refused: unknown means no.
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
from refresh.domain.vm.intent_tag import read_intent_tag


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
    """The app will not do what the tags ask for; the message names the cure."""

    reason: Reason
    message: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Revive:
    """A swap that has no record any more stopped this VM: start it on whatever disk it has."""

    reason: Reason
    message: str


Decision = Swap | Revive | Skip | Refuse


def decide_swap(facts: Facts, policy: Policy, *, force: bool = False) -> Decision:
    """The decision about one VM; `force` overrides `rejected before` and nothing else."""
    if facts.vm is None:
        if facts.unreadable:
            return Refuse(facts.unreadable_reason, facts.unreadable)
        return Skip(Reason.VM_GONE, "the VM does not exist any more")
    settled = decide_settled(facts.vm, facts)
    if settled is not None:
        return settled
    checks = check_facts(facts, policy, force=force)
    failed = first_failed(checks)
    if facts.unreadable and (failed is None or failed.promise not in TAG_PROMISES):
        return Refuse(facts.unreadable_reason, facts.unreadable, checks)
    if failed is not None or facts.wanted is None:
        assert failed is not None  # noqa: S101 - without a disk the check that it exists fails
        return Refuse(failed.reason, failed.message, checks)
    return Swap(Reason.WANTED, f"the tag names disk {facts.wanted.name}", facts.wanted, checks)


def decide_settled(vm: Vm, facts: Facts) -> Decision | None:
    """The decision about a VM whose tags ask for no swap; None where they ask for one."""
    if tags.on_hold(vm.tags):
        return Skip(Reason.ON_HOLD, f"{tags.AUTO_REFRESH}=hold: the app leaves this VM alone")
    if not tags.in_scope(vm.tags):
        return Skip(Reason.NOT_IN_SCOPE, tags.say_out_of_scope(vm.tags))
    left = read_intent_tag(tags.value_of(vm.tags, tags.REFRESH_STATE))
    if left is not None and not is_intent_stale(facts) and vm.power.settled:
        return Revive(Reason.RECOVER, f"{left.run} stopped this VM and did not finish: the VM is started")
    wish = facts.wish
    if wish.problem is None and wish.disk_id is None:
        return Skip(Reason.NO_WISH, f"{tags.OS_DISK_NAME} is missing or empty: there is nothing to do")
    if wish.problem is None and resource_id.same(wish.disk_id, vm.os_disk_id):
        return Skip(Reason.ALREADY_THERE, "the VM already runs the disk that its tag names")
    return None


def is_intent_stale(facts: Facts) -> bool:
    """Whether `RefreshState` is left over: the VM runs, did not run before, or the swap is over or is another VM's.

    Only for a VM that is not being swapped. A tag that is left over must be removed: later it would make the app start
    a VM that its owner stopped on purpose.
    """
    vm = facts.vm
    value = tags.value_of(vm.tags, tags.REFRESH_STATE) if vm is not None else None
    if vm is None or value is None:
        return False
    left = read_intent_tag(value)
    if left is None or not left.was_running or left.run in facts.over:
        return True
    return vm.power is Power.RUNNING or not left.is_about(vm.id, vm.os_disk_name, vm.os_disk_id)


def find_lost_swap(facts: Facts) -> str | None:
    """A warning when `RefreshState` of this running VM names a swap that the app has no record of; None otherwise."""
    vm = facts.vm
    left = read_intent_tag(tags.value_of(vm.tags, tags.REFRESH_STATE)) if vm is not None else None
    if vm is None or left is None or left.run in facts.over or vm.power is not Power.RUNNING:
        return None
    if not left.is_about(vm.id, vm.os_disk_name, vm.os_disk_id):
        return None
    return f"how {left.run} ended is not known: the VM runs disk {vm.os_disk_name}, which is not proved"
