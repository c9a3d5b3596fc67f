"""What must hold before a VM is stopped for a disk: one pure check per promise, all of them reported.

Decides whether a disk may become a VM's OS disk, as far as ARM can tell before downtime. Refuses to know tags and
wishes (`decision`) and how facts were read.
"""

from __future__ import annotations

from collections.abc import Collection

from refresh.domain import resource_id
from refresh.domain.check import Check, check
from refresh.domain.model import Definition, Disk, Version, Vm
from refresh.domain.provenance import Policy, check_personal, check_trust
from refresh.domain.reason import Reason


def check_swap(
    vm: Vm,
    current: Disk | None,
    wanted: Disk,
    version: Version | None,
    definition: Definition | None,
    ran: Collection[str],
    policy: Policy,
) -> tuple[Check, ...]:
    """Every check for making `wanted` the OS disk of `vm`, in the order a person would want to read them.

    https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap lists most of what must match.
    """
    return (
        check(
            "os disk is managed", vm.os_disk_id is not None, Reason.UNMANAGED_DISK, "the VM's OS disk is not managed"
        ),
        check(
            "OS disk is not ephemeral",
            not vm.ephemeral_os_disk,
            Reason.EPHEMERAL_DISK,
            "the VM's OS disk is ephemeral: it cannot be swapped, redeploy the VM instead",
        ),
        _settled(vm),
        check(
            "disk is ready",
            wanted.provisioning_state == "Succeeded",
            Reason.DISK_NOT_READY,
            f"disk {wanted.name} is {wanted.provisioning_state or 'in an unknown state'}; wait until it is Succeeded",
        ),
        _free(wanted),
        check(
            "same region",
            _same(vm.location, wanted.location),
            Reason.OTHER_REGION,
            f"disk {wanted.name} is in {wanted.location}, the VM in {vm.location}; make one in the VM's region",
        ),
        _same_zone(vm, wanted),
        _same_os(vm, wanted),
        _same_generation(vm, current, wanted),
        check_trust(wanted, ran, policy),
        *check_personal(vm, wanted, version, definition, ran, policy),
    )


def _same(left: str | None, right: str | None) -> bool:
    return left is not None and right is not None and left.replace(" ", "").lower() == right.replace(" ", "").lower()


def _settled(vm: Vm) -> Check:
    moving = not vm.power.settled or vm.provisioning_state in (None, "Updating", "Creating", "Deleting")
    return check(
        "vm is at rest",
        not moving,
        Reason.VM_BUSY,
        f"the VM is {vm.power} ({vm.provisioning_state or 'state unknown'}); it is looked at again when that is over",
    )


def _free(wanted: Disk) -> Check:
    owner = resource_id.parse(wanted.managed_by)
    holder = f"attached to {owner.name}" if owner else (wanted.disk_state or "in an unknown state")
    return check(
        "disk is free",
        wanted.managed_by is None and wanted.disk_state == "Unattached",
        Reason.DISK_IN_USE,
        f"disk {wanted.name} is {holder}; only an unattached disk can become an OS disk",
    )


def _same_zone(vm: Vm, wanted: Disk) -> Check:
    return check(
        "same zone",
        set(vm.zones) == set(wanted.zones) or (bool(wanted.sku) and "ZRS" in str(wanted.sku) and not wanted.zones),
        Reason.OTHER_ZONE,
        f"disk {wanted.name} is in {_zone(wanted.zones)}, the VM in {_zone(vm.zones)}; make the disk in the VM's zone",
    )


def _zone(zones: tuple[str, ...]) -> str:
    return f"zone {', '.join(zones)}" if zones else "no zone"


def _same_os(vm: Vm, wanted: Disk) -> Check:
    return check(
        "same OS type",
        _same(vm.os_type, wanted.os_type),
        Reason.OTHER_OS,
        f"disk {wanted.name} holds {wanted.os_type or 'an unknown OS'}, the VM is {vm.os_type or 'of an unknown OS'}",
    )


def _same_generation(vm: Vm, current: Disk | None, wanted: Disk) -> Check:
    # The VM tells its generation only while it is allocated; its current OS disk always does.
    has = (current.generation if current else None) or vm.generation
    return check(
        "same Hyper-V generation",
        _same(has, wanted.generation),
        Reason.OTHER_GENERATION,
        f"disk {wanted.name} is generation {wanted.generation or 'unknown'}, the VM {has or 'unknown'}; "
        "make the disk from an image of the VM's generation",
    )
