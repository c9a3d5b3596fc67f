"""The decision about one VM: `Swap`, `Revive`, `Skip` or `Refuse`, each with a reason.

Decides from the VM's facts alone. Does not know how facts are read or how a swap is carried out. What could not be
read is refused: unknown means no.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.preflight.all_checks import check_facts
from refresh.domain.preflight.check import Check, first_failed
from refresh.domain.preflight.provenance import Policy
from refresh.domain.preflight.tags_readable import CONDITIONS as TAG_CONDITIONS
from refresh.domain.swap.changed_by_others import find_change
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
    """The app does not make the swap that the tags name; the message names the cure."""

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
    if facts.unreadable and (failed is None or failed.condition not in TAG_CONDITIONS):
        return Refuse(facts.unreadable_reason, facts.unreadable, checks)
    if failed is not None or facts.wanted is None:
        assert failed is not None  # noqa: S101 - without a disk the check that it exists fails
        return Refuse(failed.reason, failed.message, checks)
    return Swap(Reason.WANTED, f"the tag names disk {facts.wanted.name}", facts.wanted, checks)


def decide_settled(vm: Vm, facts: Facts) -> Decision | None:
    """The decision about a VM that needs no swap, or that others have changed; None where its tags need a swap."""
    if vm.own_tags.on_hold:
        return Skip(Reason.ON_HOLD, f"{tags.AUTO_REFRESH}=hold: the app leaves this VM alone")
    if not vm.own_tags.in_scope:
        return Skip(Reason.NOT_IN_SCOPE, vm.own_tags.why_out_of_scope)
    left = vm.own_tags.open_intent
    if left is not None and not is_intent_stale(facts) and vm.power.settled:
        return Revive(Reason.RECOVER, f"{left.run} stopped this VM and did not finish: the VM is started")
    wish = facts.wish
    if wish.problem is None and wish.disk_id is None:
        return Skip(Reason.NO_WISH, f"{tags.OS_DISK_NAME} is missing or empty: there is nothing to do")
    if wish.problem is None and resource_id.same(wish.disk_id, vm.os_disk_id):
        return Skip(Reason.ALREADY_THERE, "the VM already runs the disk that its tag names")
    change = find_change(facts)
    return Refuse(Reason.CHANGED_BY_OTHERS, change) if change is not None else None


def is_intent_stale(facts: Facts) -> bool:
    """Whether `RefreshState` is left over: the VM runs, did not run before, or the swap is over or is another VM's.

    Only for a VM that is not being swapped. A tag that is left over must be removed: later it would make the app start
    a VM that its owner stopped on purpose.
    """
    vm = facts.vm
    if vm is None or vm.own_tags.refresh_state is None:
        return False
    left = vm.own_tags.open_intent
    if left is None or not left.was_running or left.run in facts.over:
        return True
    return vm.power is Power.RUNNING or not left.is_about(vm.id, *_disk_names(vm))


def _disk_names(vm: Vm) -> tuple[str, ...]:
    """Every name of the VM's OS disk; none when a part of it could not be read: unknown is not another disk."""
    if vm.os_disk_name is None or vm.os_disk_id is None:
        return ()
    return vm.os_disk_name, vm.os_disk_id, vm.os_disk_id.rsplit("/", 1)[-1]


def find_lost_swap(facts: Facts) -> str | None:
    """A warning when `RefreshState` of this running VM names a swap that the app has no record of; None otherwise."""
    vm = facts.vm
    left = vm.own_tags.open_intent if vm is not None else None
    if vm is None or left is None or left.run in facts.over or vm.power is not Power.RUNNING:
        return None
    if not left.is_about(vm.id, *_disk_names(vm)):
        return None
    return f"how {left.run} ended is not known: the VM runs disk {vm.os_disk_name}, which is not proved"
