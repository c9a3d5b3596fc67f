"""A VM's disk of a month: whether it can be made, its size and zones, and whether an existing disk is that disk.

Decides which existing disk counts as the month's. `image_choice.py` chooses the image, `new_disk.py` makes the body.
"""

from __future__ import annotations

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Version
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import names, resource_id
from refresh.domain.terms.month_reason import MonthReason, Refusal

_CUSTOMER_KEY = "confidentialvm_diskencryptedwithcustomerkey"


def check_os_disk(vm: Vm, current: Disk | None) -> Refusal | None:
    """Why no new disk can be made like `current`, the VM's OS disk (None: it does not exist); None when one can."""
    if current is None:
        return Refusal(MonthReason.NO_DISK, f"the VM's OS disk {vm.os_disk_name} does not exist")
    if (current.security_type or "").lower() == _CUSTOMER_KEY:
        return Refusal(
            MonthReason.CONFIDENTIAL_KEY,
            "the VM's OS disk is confidential with a customer-managed key, which is not supported yet",
        )
    return None


def is_months_disk(disk: Disk, vm: Vm, current: Disk, version: Version) -> bool:
    """Whether `disk` is the month's disk of `vm`: made from `version`, in the VM's region, zones and edge zone.

    It must not be attached to another VM. A disk that is still being made counts; one whose creation failed does not.
    """
    return (
        resource_id.same(disk.source_version, version.id)
        and disk.provisioning_state not in ("Failed", "Canceled", "Deleting", None)
        and names.region_key(disk.location) == names.region_key(vm.location)
        and set(disk.zones) == set(zones_of_disk(vm, current))
        and names.same_edge_zone(disk.edge_zone, vm.edge_zone)
        and (disk.managed_by is None or resource_id.same(disk.managed_by, vm.id))
    )


def disk_size_gb(current: Disk, version: Version) -> int | None:
    """The size of a new disk: that of `current`, or of the image where that is larger.

    Azure refuses a disk that is smaller than its image.
    """
    return max(current.size_gb or 0, version.os_disk_size_gb or 0) or None


def zones_of_disk(vm: Vm, current: Disk) -> tuple[str, ...]:
    """The zones of a new disk for `vm` like `current`: those of the VM, none where the SKU is zone-redundant."""
    # A zone-redundant disk is in every zone, and its body must name none.
    return () if (current.sku or "").upper().endswith("_ZRS") else vm.zones
