"""Hibernation of VMs: what a VM with `hibernationEnabled` requires of its OS disk, its size and its place.

Decides which VMs and changes Azure refuses. The messages, except where a comment states otherwise, are those of
https://learn.microsoft.com/azure/virtual-machines/hibernate-resume-troubleshooting. Leaves the hibernation itself to
`vm_power.py`.
"""

from __future__ import annotations

from simulator.arm.core import errors
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.attachments import attached_disk, disk_blocks
from simulator.arm.state.disk_sources import SourceFacts
from simulator.arm.state.vm_sizes import size_of
from simulator.arm.state.vm_state import VmState, vm_state
from simulator.arm.vms.vm_size_rules import size_name

_FOR_HIBERNATION = "should support hibernation for a VM with hibernation capability."
_GIB = 1024**3


def is_enabled(properties: Json) -> bool:
    """Whether a VM's `properties` enable hibernation."""
    return bool((properties.get("additionalCapabilities") or {}).get("hibernationEnabled"))


def check_new_hibernation(vm: Record, facts: SourceFacts) -> None:
    """Refuse a new VM with hibernation that Azure refuses; `facts` are those of its image or attached OS disk."""
    if not is_enabled(vm.properties):
        return
    _check_vm(vm.properties)
    storage = vm.properties.get("storageProfile") or {}
    reference = storage.get("imageReference") or {}
    if str(reference.get("id", "")).lower().count("/images/") and "/galleries/" not in str(reference["id"]).lower():
        raise errors.not_allowed(
            "User VM Image isn't supported for a VM with Hibernation capability.", "hibernationEnabled"
        )
    if facts.hibernates is False:
        what = "shared gallery image" if reference.get("id") else "platform image" if reference else "os disk"
        raise errors.not_allowed(f"The referenced {what} {_FOR_HIBERNATION}")
    _check_memory(vm.properties, (storage.get("osDisk") or {}).get("diskSizeGB") or facts.size_gb)


def check_changed_hibernation(services: Services, vm: Record, model: Json) -> None:
    """Refuse to enable hibernation, or to resize a VM with it, where the VM then cannot hibernate."""
    properties = model.get("properties") or {}
    if not is_enabled(properties):
        return
    is_new = not is_enabled(vm.properties)
    if not is_new and size_name(properties) == size_name(vm.properties):
        return
    if is_new and vm_state(vm).power != "deallocated":
        # Documented: only at creation, or after the VM was stopped and deallocated. Message not known; before that was
        # allowed it was another: https://github.com/Azure/azure-cli/issues/22643
        raise errors.not_allowed(
            "Hibernation capability can only be enabled while creating a new VM, or on a deallocated VM.",
            "hibernationEnabled",
        )
    _check_vm(properties)
    os_disk = attached_disk(services, next(disk_blocks(vm), {}))
    if os_disk is not None:
        check_os_disk_hibernates(properties, os_disk)


def check_os_disk_hibernates(properties: Json, os_disk: Record) -> None:
    """Refuse an OS disk for a VM with hibernation that cannot hibernate to it.

    Documented for new VMs, reported for attached disks (https://github.com/Azure/azure-sdk-for-java/issues/32375), and
    assumed for a swap.
    """
    if not is_enabled(properties):
        return
    if not os_disk.properties.get("supportsHibernation"):
        raise errors.not_allowed(f"The referenced os disk {_FOR_HIBERNATION}")
    _check_memory(properties, os_disk.properties.get("diskSizeGB"))


def check_can_hibernate(vm: Record, state: VmState) -> None:
    """Refuse to hibernate a VM without hibernation, or one that does not run."""
    if not is_enabled(vm.properties):
        raise errors.not_allowed(
            "The Hibernate-Deallocate Operation can only be triggered on a VM that is enabled for hibernation. Enable "
            "the property additionalCapabilities.hibernationEnabled during VM creation, or after stopping and "
            "deallocating the VM."
        )
    if state.power != "running":
        raise errors.not_allowed(
            "The Hibernate-Deallocate Operation can only be triggered on a VM that is successfully provisioned and is "
            "running."
        )


def _check_vm(properties: Json) -> None:
    size = size_of(size_name(properties))
    text = None
    if properties.get("priority") == "Spot":
        text = "Hibernation capability isn't supported for Spot VMs."
    elif properties.get("host") or properties.get("hostGroup"):
        text = "Referencing a Dedicated Host isn't supported for a VM with Hibernation capability."
    elif (properties.get("capacityReservation") or {}).get("capacityReservationGroup"):
        text = "Referencing a Capacity Reservation Group isn't supported for a VM with Hibernation capability."
    elif properties.get("availabilitySet"):
        text = "Hibernation can't be enabled on Virtual Machines created in an Availability Set."
    elif size is not None and not size.hibernates:
        # Documented by the capability `HibernationSupported`; message not known.
        text = f"The VM size '{size.name}' isn't supported for a VM with Hibernation capability."
    if text:
        raise errors.not_allowed(text, "hibernationEnabled")


def _check_memory(properties: Json, disk_gb: int | None) -> None:
    size = size_of(size_name(properties))
    if size is not None and disk_gb is not None and int(disk_gb) < size.memory_gb:
        raise errors.not_allowed(
            f"Hibernation can't be enabled on Virtual Machine since the OS Disk Size ({int(disk_gb) * _GIB} bytes) "
            f"should at least be greater than the VM memory ({int(size.memory_gb * _GIB)} bytes)."
        )
