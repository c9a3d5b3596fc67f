"""Disks attached to VMs.

Decides `managedBy`, `diskState` and the time of the last ownership change of the disks that a VM names or no longer
names. Leaves whether an attachment is allowed to the providers.
Disk states: https://learn.microsoft.com/rest/api/compute/disks/get#diskstate
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.arm.core.messages import stamp
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.vm_state import vm_state

DISK_TYPE = "Microsoft.Compute/disks"
_DISK_STATES = {"deallocated": "Reserved"}


def disk_blocks(vm: Record) -> Iterator[Json]:
    """The blocks of the OS disk and the data disks in a VM's model."""
    storage: Json = vm.properties.get("storageProfile", {})
    if "osDisk" in storage:
        yield storage["osDisk"]
    yield from storage.get("dataDisks", [])


def disk_id(block: Json) -> str | None:
    """The managed disk's id in a disk block, None for an unmanaged disk."""
    managed: Json = block.get("managedDisk") or {}
    return managed.get("id")


def attached_disk(services: Services, block: Json) -> Record | None:
    """The disk that a block of a VM's model names."""
    text = disk_id(block)
    return services.store.get(text) if text else None


def sync_attachments(services: Services, vm: Record) -> None:
    """Update the disks to the VM's model and power: attach those it names, detach those it no longer names."""
    if services.store.get(vm.id) is not vm:
        return  # an operation that ends after its VM was deleted attaches nothing
    state = vm_state(vm)
    named = frozenset(text.lower() for block in disk_blocks(vm) if (text := disk_id(block)))
    for key in state.attached - named:
        disk = services.store.get(key)
        if disk is not None and str(disk.body.get("managedBy", "")).lower() == vm.id.key:
            release(services, disk)
    for key in named:
        if (disk := services.store.get(key)) is not None:
            _own(services, disk, vm, "Frozen" if state.hibernated else _DISK_STATES.get(state.power, "Attached"))
    state.attached = named


def release(services: Services, disk: Record) -> None:
    """Detach the disk."""
    services.history.remember(disk.id)
    disk.body.pop("managedBy", None)
    disk.properties["diskState"] = "Unattached"
    disk.properties["LastOwnershipUpdateTime"] = stamp(services.now())


def _own(services: Services, disk: Record, vm: Record, state: str) -> None:
    if disk.body.get("managedBy") == vm.id.text and disk.properties.get("diskState") == state:
        return
    services.history.remember(disk.id)
    disk.body["managedBy"] = vm.id.text
    disk.properties["diskState"] = state
    disk.properties["LastOwnershipUpdateTime"] = stamp(services.now())
