"""What must hold before a VM is stopped for a disk: one pure check per promise, all of them reported.

Decides which promises there are and judges the state of the VM; the rest stands beside: `tag_checks` (what is asked for
can be read), `placement` (the disk is there to be taken), `compatibility` (VM and disk are of one kind), `provenance`
(where it comes from), `rights` and `locks`. Refuses to know what follows from a failed check (`decision`) and how facts
were read.
"""

from __future__ import annotations

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight import (
    compatibility,
    encryption,
    locks,
    placement,
    provenance,
    rights,
    tags_readable,
    vm_size,
)
from refresh.domain.preflight.check import Check, Evidence, Promise, first_failed
from refresh.domain.preflight.provenance import Policy
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.preflight_facts import Surroundings

_STATES = "https://learn.microsoft.com/azure/virtual-machines/states-billing"
_EPHEMERAL = "https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks"
_HIBERNATED = "https://learn.microsoft.com/azure/virtual-machines/hibernate-resume"
_UNMANAGED = "https://learn.microsoft.com/azure/virtual-machines/unmanaged-disks-deprecation"

MANAGED = Promise("os disk is managed", Reason.UNMANAGED_DISK, Evidence.DOCUMENTED, _UNMANAGED)
NOT_EPHEMERAL = Promise("OS disk is not ephemeral", Reason.EPHEMERAL_DISK, Evidence.DOCUMENTED, _EPHEMERAL)
ALONE = Promise("VM is in no scale set", Reason.SCALE_SET, Evidence.OUR_RULE)
AWAKE = Promise("VM is not hibernated", Reason.HIBERNATED, Evidence.DOCUMENTED, _HIBERNATED)
AT_REST = Promise("vm is at rest", Reason.VM_BUSY, Evidence.DOCUMENTED, _STATES, "Conflict")

PROMISES = (
    *tags_readable.PROMISES,
    *placement.ASKED_FOR,
    *(MANAGED, NOT_EPHEMERAL, ALONE, AWAKE, AT_REST),
    *placement.PROMISES,
    *compatibility.PROMISES,
    *provenance.PROMISES,
    vm_size.SIZE_CARRIES,
    *rights.PROMISES,
    locks.NOT_LOCKED,
)
"""Every promise that is checked before downtime, in the order in which the checks are shown."""


def check_facts(facts: Facts, policy: Policy, *, force: bool = False) -> tuple[Check, ...]:
    """Every check that these facts are enough for, in the order in which a refusal names them.

    `force` overrides `rejected before` and nothing else. Without the disk that is asked for only the tags are judged.
    """
    vm, wanted = facts.vm, facts.wanted
    if vm is None:
        return ()
    said = tags_readable.check_tags(vm, facts.wish)
    if wanted is None:
        unknown = facts.unreadable is not None or first_failed(said) is not None
        return said if unknown else (*said, placement.check_exists(None, facts.wish))
    return (
        *said,
        placement.check_exists(wanted, facts.wish),
        placement.check_not_rejected(wanted, facts.rejected, force=force),
        *_check_swap(vm, wanted, facts, policy),
    )


def _check_swap(vm: Vm, wanted: Disk, facts: Facts, policy: Policy) -> tuple[Check, ...]:
    """Every check for making `wanted` the OS disk of `vm`, in the order that suits a reader.

    Without `facts.around` (facts from lists) rights, locks, sizes and other VMs' wishes are not checked: no swap is
    made from those.
    """
    current, ran, around = facts.current, facts.ran, facts.around
    return (
        MANAGED.judged(vm.os_disk_id is not None, "the VM's OS disk is not managed; convert it to a managed disk"),
        NOT_EPHEMERAL.judged(
            not vm.ephemeral_os_disk,
            "the VM's OS disk is ephemeral: it cannot be swapped, redeploy the VM instead",
        ),
        ALONE.judged(vm.scale_set is None, "the VM belongs to a scale set: have the scale set renew its OS disks"),
        AWAKE.judged(not vm.hibernated, "the VM is hibernated: start it, or deallocate it without hibernation"),
        _at_rest(vm),
        *placement.check_placement(vm, wanted, around),
        *compatibility.check_compatibility(vm, current, wanted, ran),
        provenance.check_trust(wanted, ran, policy),
        *provenance.check_personal(vm, wanted, facts.version, facts.definition, ran, policy),
        *(_check_around(vm, current, wanted, around) if around is not None else ()),
    )


def _at_rest(vm: Vm) -> Check:
    moving = not vm.power.settled or vm.provisioning_state in (None, "Updating", "Creating", "Deleting")
    return AT_REST.judged(
        not moving,
        f"the VM is {vm.power} ({vm.provisioning_state or 'state unknown'}); it is looked at again when that is over",
    )


def _check_around(vm: Vm, current: Disk | None, wanted: Disk, around: Surroundings) -> tuple[Check, ...]:
    # The way back needs the same rights on the disk that the VM has now.
    disks = [wanted.id, *([vm.os_disk_id] if vm.os_disk_id else [])]
    return (
        vm_size.check_size(vm, current, wanted, around.takes_premium),
        *rights.check_rights(vm.id, disks, encryption.set_of(wanted), around.gaps),
        locks.check_locks([vm.id, *disks], around.locks),
    )
