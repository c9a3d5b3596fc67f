"""Hint, facts and wish in; `Swap`, `Skip` or `Refuse` out, each with a reason.

Decides what a VM's tags ask for and whether the app will do it. Refuses to know how facts were read and how a swap is
carried out. What cannot be read is refused: unknown means no.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain import resource_id, tags
from refresh.domain.check import Check
from refresh.domain.intent_tag import read_intent_tag
from refresh.domain.model import Definition, Disk, Power, Version, Vm
from refresh.domain.preflight import check_swap
from refresh.domain.provenance import Policy
from refresh.domain.reason import Reason
from refresh.domain.surroundings import Surroundings
from refresh.domain.tag_faults import tag_fault
from refresh.domain.wish import Wish, shorten


@dataclass(frozen=True)
class Facts:
    """Everything a decision rests on; None where ARM says it is not there.

    `unreadable` is a sentence when something could not be read; `ran` the hashes of disks this VM is known to have
    run; `over` runs that have ended; `rejected` the disk and version ids (lower-case) found unhealthy on this VM;
    `around` is None where only lists were read.
    """

    vm: Vm | None
    wish: Wish
    current: Disk | None = None
    wanted: Disk | None = None
    version: Version | None = None
    definition: Definition | None = None
    around: Surroundings | None = None
    unreadable: str | None = None
    ran: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    over: frozenset[str] = frozenset()


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
            return Refuse(Reason.UNREADABLE, facts.unreadable)
        return Skip(Reason.VM_GONE, "the VM does not exist any more")
    early = decide_without_disk(facts.vm, facts)
    if early is not None:
        return early
    if facts.wanted is None:
        return Refuse(
            Reason.DISK_NOT_FOUND,
            f"{tags.OS_DISK_NAME} names disk '{shorten(facts.wish.text)}', which does not exist; correct the tag, "
            "or create the disk",
        )
    if not force and _rejected(facts, facts.wanted):
        return Refuse(
            Reason.REJECTED_BEFORE,
            f"disk {facts.wanted.name} (or another from the same image version) was found unhealthy on this VM and "
            "rolled back; use a newer disk, or ask with force",
        )
    vm, current, wanted, version = facts.vm, facts.current, facts.wanted, facts.version
    checks = check_swap(vm, current, wanted, version, facts.definition, facts.ran, policy, facts.around)
    failed = next((check for check in checks if not check.ok), None)
    if failed is not None:
        return Refuse(failed.reason, failed.message, checks)
    return Swap(Reason.WANTED, f"the tag asks for disk {facts.wanted.name}", facts.wanted, checks)


def decide_without_disk(vm: Vm, facts: Facts) -> Decision | None:
    """The decision, where it does not depend on the wanted disk; None where that must be read first."""
    if tags.on_hold(vm.tags):
        return Skip(Reason.ON_HOLD, f"{tags.AUTO_REFRESH}=hold: the app leaves this VM alone")
    if not tags.in_scope(vm.tags):
        return Skip(Reason.NOT_IN_SCOPE, f"{tags.AUTO_REFRESH} is not true on this VM; set it to have it refreshed")
    left = read_intent_tag(tags.value_of(vm.tags, tags.REFRESH_STATE))
    if left is not None and left.was_running and not is_intent_stale(facts) and vm.power.settled:
        return Revive(Reason.RECOVER, f"{left.run} stopped this VM and nobody finished it: bringing it up")
    wish = facts.wish
    if wish.problem is None and wish.disk_id is None:
        return Skip(Reason.NO_WISH, f"{tags.OS_DISK_NAME} is missing or empty: nothing is asked for")
    if wish.problem is None and resource_id.same(wish.disk_id, vm.os_disk_id):
        return Skip(Reason.ALREADY_THERE, "the VM already runs the disk its tag asks for")
    fault = tag_fault(vm)
    if fault is not None:
        return Refuse(*fault)
    if wish.problem is not None:
        return Refuse(wish.problem, wish.message)
    if facts.unreadable:
        return Refuse(Reason.UNREADABLE, facts.unreadable)
    return None


def _rejected(facts: Facts, wanted: Disk) -> bool:
    names = {wanted.id.lower(), (wanted.source_version or wanted.id).lower()}
    return not names.isdisjoint(facts.rejected)


def is_intent_stale(facts: Facts) -> bool:
    """Whether `RefreshState` is a leftover: the VM runs, or the swap it tells of is known to be over.

    Only asked about a VM that nobody is swapping. A stale mirror must go: it would have the app start a VM that its
    owner stops on purpose later.
    """
    if facts.vm is None:
        return False
    value = tags.value_of(facts.vm.tags, tags.REFRESH_STATE)
    left = read_intent_tag(value)
    return value is not None and (left is None or left.run in facts.over or facts.vm.power is Power.RUNNING)
