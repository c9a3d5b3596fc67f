"""A VM's disk of a month: its ARM body, and whether an existing disk is that disk.

Decides what a new OS disk takes over from the current one and which existing disk counts as the month's.
`image_choice.py` chooses the image.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Version
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import names, resource_id, tags
from refresh.domain.terms.month_reason import MonthReason, Refusal

# Largest size in GiB of each premium performance tier:
# https://learn.microsoft.com/azure/virtual-machines/disks-types#premium-ssd-size
_PREMIUM_TIERS = (
    (4, 1), (8, 2), (16, 3), (32, 4), (64, 6), (128, 10), (256, 15), (512, 20), (1024, 30), (2048, 40), (4096, 50),
    (8192, 60), (16384, 70), (32767, 80),
)  # fmt: skip
_LARGEST_P50_GB = 4096
# https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
_MAX_TAGS = 50
_CUSTOMER_KEY = "confidentialvm_diskencryptedwithcustomerkey"


def check_os_disk(vm: Vm, current: Disk | None) -> Refusal | None:
    """Why no new disk can be made like the VM's current OS disk; None when one can."""
    if vm.os_disk_id is None or vm.ephemeral_os_disk:
        return Refusal(
            MonthReason.UNMANAGED_DISK,
            "the VM's OS disk is ephemeral or not managed; only a managed OS disk can be replaced",
        )
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
        and set(disk.zones) == set(_zones(vm, current))
        and names.same_edge_zone(disk.edge_zone, vm.edge_zone)
        and (disk.managed_by is None or resource_id.same(disk.managed_by, vm.id))
    )


def disk_size_gb(current: Disk, version: Version) -> int | None:
    """The size of a new disk: that of `current`, or of the image where that is larger.

    Azure refuses a disk that is smaller than its image.
    """
    return max(current.size_gb or 0, version.os_disk_size_gb or 0) or None


def disk_body(vm: Vm, current: Disk, version: Version, period: str) -> dict[str, Any]:
    """The ARM body of the disk for `vm`, made from `version` and otherwise like `current`.

    A disk from a version takes OS type, generation and capabilities from it. SKU, size, tier, encryption, network
    access, security type, hibernation and plan would get defaults if they were not given:
    https://learn.microsoft.com/rest/api/compute/disks/create-or-update
    """
    size_gb = disk_size_gb(current, version)
    properties = {
        "creationData": {"createOption": "FromImage", "galleryImageReference": {"id": version.id}},
        "osType": current.os_type or vm.os_type,
        "hyperVGeneration": current.generation or vm.generation,
        "diskSizeGB": size_gb,
        "tier": _tier(current, size_gb),
        "encryption": _encryption(current.encryption),
        "securityProfile": {"securityType": current.security_type} if current.security_type else None,
        "networkAccessPolicy": current.network_access_policy,
        "publicNetworkAccess": current.public_network_access,
        "diskAccessId": current.disk_access_id,
        "burstingEnabled": current.bursting_enabled or None,
        "supportsHibernation": current.supports_hibernation or vm.hibernates or None,
        "purchasePlan": current.plan.body() if current.plan else None,
    }
    body = {
        "location": vm.location,
        "extendedLocation": {"name": vm.edge_zone, "type": "EdgeZone"} if vm.edge_zone else None,
        "zones": list(_zones(vm, current)) or None,
        "sku": {"name": current.sku} if current.sku else None,
        "tags": _disk_tags(vm, current, version, period),
        "properties": {name: value for name, value in properties.items() if value is not None},
    }
    return {name: value for name, value in body.items() if value is not None}


def _zones(vm: Vm, current: Disk) -> tuple[str, ...]:
    # A zone-redundant disk is in every zone, and its body must name none.
    return () if (current.sku or "").upper().endswith("_ZRS") else vm.zones


def _tier(current: Disk, size_gb: int | None) -> str | None:
    """The performance tier where one was chosen: on premium SSD, above the tier of the size.

    https://learn.microsoft.com/azure/virtual-machines/disks-change-performance: tiers above P50 are
    only for disks over 4 TiB.
    """
    found = re.fullmatch(r"P(\d+)", current.tier or "")
    if found is None or size_gb is None or not (current.sku or "").lower().startswith("premium_"):
        return None
    baseline = next((tier for largest, tier in _PREMIUM_TIERS if size_gb <= largest), None)
    chosen = int(found.group(1))
    if baseline is None or chosen <= baseline or (chosen > 50 and size_gb <= _LARGEST_P50_GB):
        return None
    return current.tier


def _encryption(encryption: Mapping[str, Any] | None) -> dict[str, Any] | None:
    kept = {name: (encryption or {}).get(name) for name in ("type", "diskEncryptionSetId")}
    return {name: value for name, value in kept.items() if value} or None


def _disk_tags(vm: Vm, current: Disk, version: Version, period: str) -> dict[str, str]:
    """The current disk's tags, and as many tags about the new disk's origin as there is room for."""
    kept = tags.not_contract(current.tags)
    found = resource_id.parse(version.id)
    provenance = {
        tags.DISK_VM: vm.name,
        tags.DISK_PERIOD: period,
        tags.DISK_VERSION: "/".join(found.names) if found else version.name,
    }
    room = max(_MAX_TAGS - len(kept), 0)
    return kept | dict(list(provenance.items())[:room])
