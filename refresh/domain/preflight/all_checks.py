"""All checks before a VM is stopped for a disk, each a pure function; all results are reported.

Decides which checks there are and their order, and judges the state of the VM. The other checks: `tags_readable.py`
and `tags_room.py` (the tags), `placement.py` (disk is free and near), `compatibility.py`, `encryption.py` and
`capabilities.py` (VM and disk match), `provenance.py` (origin of the disk), `vm_size.py`, `rights.py` and `locks.py`.
Does not know how facts are read.
"""

from __future__ import annotations

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight import (
    capabilities,
    compatibility,
    encryption,
    locks,
    placement,
    provenance,
    rights,
    tags_readable,
    tags_room,
    vm_size,
)
from refresh.domain.preflight.check import Check, Condition, Evidence, first_failed
from refresh.domain.preflight.provenance import Policy
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.preflight_facts import PreflightFacts
from refresh.domain.vm.wish import Wish, with_wish

_STATES = "https://learn.microsoft.com/azure/virtual-machines/states-billing"
_EPHEMERAL = "https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks"
_HIBERNATED = "https://learn.microsoft.com/azure/virtual-machines/hibernate-resume"
_UNMANAGED = "https://learn.microsoft.com/azure/virtual-machines/unmanaged-disks-deprecation"

MANAGED = Condition("OS disk is managed", Reason.UNMANAGED_DISK, Evidence.DOCUMENTED, _UNMANAGED)
NOT_EPHEMERAL = Condition("OS disk is not ephemeral", Reason.EPHEMERAL_DISK, Evidence.DOCUMENTED, _EPHEMERAL)
ALONE = Condition("VM is in no scale set", Reason.SCALE_SET, Evidence.OUR_RULE)
AWAKE = Condition("VM is not hibernated", Reason.HIBERNATED, Evidence.DOCUMENTED, _HIBERNATED)
AT_REST = Condition("VM has no operation under way", Reason.VM_BUSY, Evidence.DOCUMENTED, _STATES, "Conflict")

CONDITIONS = (
    *tags_readable.CONDITIONS,
    *placement.WISHED,
    tags_room.ROOM,
    *(MANAGED, NOT_EPHEMERAL, ALONE, AWAKE, AT_REST),
    *placement.CONDITIONS,
    *compatibility.CONDITIONS,
    *capabilities.CONDITIONS,
    *provenance.CONDITIONS,
    vm_size.SIZE_CARRIES,
    *rights.CONDITIONS,
    locks.NOT_LOCKED,
)
"""Everything that is checked before downtime, in the order in which the checks are shown."""


_PASSING = (AWAKE, AT_REST)
"""States of a VM that pass; a disk that is made meanwhile is swapped in later."""


def check_vm(vm: Vm) -> tuple[Check, ...]:
    """Every check that needs the VM only, for a VM that a new disk is planned for."""
    readable = tags_readable.check_tags(vm.own_tags, Wish(""))
    return (*readable, tags_room.check_room(with_wish(vm, vm.name)), *_check_kind(vm))


def check_planned(facts: Facts, policy: Policy, *, force: bool = False) -> tuple[Check, ...]:
    """Every check for a disk that is planned, or made for a later swap: all but those of the VM's passing states."""
    return tuple(check for check in check_facts(facts, policy, force=force) if check.condition not in _PASSING)


def check_facts(facts: Facts, policy: Policy, *, force: bool = False) -> tuple[Check, ...]:
    """Every check that can be made on these facts, in the order in which a refusal names them.

    `force` overrides `rejected before` and nothing else. Without the wanted disk only the tags are checked.
    """
    vm, wanted = facts.vm, facts.wanted
    if vm is None:
        return ()
    readable = tags_readable.check_tags(vm.own_tags, facts.wish)
    if wanted is None:
        unknown = facts.unreadable is not None or first_failed(readable) is not None
        return readable if unknown else (*readable, placement.check_exists(None, facts.wish))
    return (
        *readable,
        placement.check_exists(wanted, facts.wish),
        placement.check_not_rejected(wanted, facts.rejected, force=force),
        *_check_swap(vm, wanted, facts, policy),
    )


def _check_swap(vm: Vm, wanted: Disk, facts: Facts, policy: Policy) -> tuple[Check, ...]:
    """Every check for making `wanted` the OS disk of `vm`, in the order in which they are shown.

    Without `facts.preflight` (facts from lists) rights, locks, sizes and other VMs' tags are not checked: no swap
    begins on facts from lists.
    """
    current, ran, preflight = facts.current, facts.ran, facts.preflight
    return (
        tags_room.check_room(vm),
        *_check_kind(vm),
        AWAKE.judged(not vm.hibernated, "the VM is hibernated; start it, or deallocate it without hibernation"),
        _at_rest(vm),
        *placement.check_placement(vm, wanted, preflight),
        *compatibility.check_compatibility(vm, current, wanted, ran),
        *capabilities.check_capabilities(vm, current, wanted),
        provenance.check_trust(wanted, ran, policy),
        *provenance.check_personal(vm, wanted, facts.version, facts.definition, ran, policy),
        *(_check_preflight_facts(vm, current, wanted, preflight) if preflight is not None else ()),
    )


def _check_kind(vm: Vm) -> tuple[Check, ...]:
    return (
        MANAGED.judged(vm.os_disk_id is not None, "the VM's OS disk is not managed; convert it to a managed disk"),
        NOT_EPHEMERAL.judged(
            not vm.ephemeral_os_disk,
            "the VM's OS disk is ephemeral and cannot be swapped; redeploy the VM instead",
        ),
        ALONE.judged(vm.scale_set is None, "the VM belongs to a scale set; let the scale set replace its OS disks"),
    )


def _at_rest(vm: Vm) -> Check:
    moving = not vm.power.settled or vm.provisioning_state in (None, "Updating", "Creating", "Deleting")
    return AT_REST.judged(
        not moving,
        f"the VM is {vm.power} ({vm.provisioning_state or 'state unknown'}); the app checks it again when that is over",
    )


def _check_preflight_facts(vm: Vm, current: Disk | None, wanted: Disk, preflight: PreflightFacts) -> tuple[Check, ...]:
    # A rollback needs the same rights on the disk that the VM has now.
    disks = [wanted.id, *([vm.os_disk_id] if vm.os_disk_id else [])]
    return (
        vm_size.check_size(vm, current, wanted, preflight.takes_premium),
        *rights.check_rights(vm.id, disks, encryption.set_of(wanted), preflight.gaps),
        locks.check_locks([vm.id, *disks], preflight.locks),
    )
