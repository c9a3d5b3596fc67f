"""The ARM body of a VM's new OS disk, and what Azure will answer about the disk.

Decides what the disk takes from the VM, from its current OS disk and from the image. Where VM and OS disk differ, the
disk follows the VM: it may have been upgraded to Trusted Launch, changed to NVMe or enabled for hibernation since.
Which property comes from where: `azure/disk_properties.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from refresh.domain.azure.disk_properties import put_at
from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.vms import Vm
from refresh.domain.disks.month_disk import disk_size_gb, zones_of_disk
from refresh.domain.terms import resource_id, tags

# Largest size in GiB of each premium performance tier:
# https://learn.microsoft.com/azure/virtual-machines/disks-types#premium-ssd-size
_PREMIUM_TIERS = (
    (4, 1), (8, 2), (16, 3), (32, 4), (64, 6), (128, 10), (256, 15), (512, 20), (1024, 30), (2048, 40), (4096, 50),
    (8192, 60), (16384, 70), (32767, 80),
)  # fmt: skip
_LARGEST_P50_GB = 4096
# https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
_MAX_TAGS = 50

_CAPABILITIES = "properties.supportedCapabilities"
_PROMOTION = "properties.purchasePlan.promotionCode"
_DEFAULT_CONTROLLER, _DEFAULT_ARCHITECTURE = "SCSI", "x64"
_STANDARD, _TRUSTED_LAUNCH = "standard", "trustedlaunch"


def disk_body(vm: Vm, current: Disk, definition: Definition, version: Version, period: str) -> dict[str, Any]:
    """The ARM body of the disk for `vm`, made from `version` of `definition` and otherwise like `current`.

    Azure gives a property that is not in the body the image's value, or a default:
    https://learn.microsoft.com/rest/api/compute/disks/create-or-update
    """
    size_gb = disk_size_gb(current, version)
    found: dict[str, Any] = {
        "location": vm.location,
        "extendedLocation.name": vm.edge_zone,
        "extendedLocation.type": "EdgeZone" if vm.edge_zone else None,
        "zones": list(zones_of_disk(vm, current)) or None,
        "sku.name": current.sku,
        "tags": _disk_tags(vm, current, version, period),
        "properties.creationData.createOption": "FromImage",
        "properties.creationData.galleryImageReference.id": version.id,
        "properties.osType": current.os_type or vm.os_type,
        "properties.hyperVGeneration": current.generation or vm.generation,
        "properties.diskSizeGB": size_gb,
        "properties.tier": _tier(current, size_gb),
        "properties.encryption": _encryption(current.encryption),
        "properties.securityProfile.securityType": _security_type(vm, current),
        "properties.networkAccessPolicy": current.network_access_policy,
        "properties.publicNetworkAccess": current.public_network_access,
        "properties.diskAccessId": current.disk_access_id,
        "properties.burstingEnabled": current.bursting_enabled or None,
        "properties.supportsHibernation": _supports_hibernation(vm, current, definition),
        "properties.purchasePlan": vm.plan.body() if vm.plan else None,
        _CAPABILITIES: _capabilities(vm, current, definition),
        **_other_settings(vm, current),
    }
    body: dict[str, Any] = {}
    for path, value in found.items():
        put_at(body, path, value)
    return body


def expected_answer(disk_id: str, body: Mapping[str, Any], definition: Definition) -> dict[str, Any]:
    """The disk as Azure will answer about it once it is made with `body`: with what its image gives."""
    sent = body["properties"]
    declared = {
        "architecture": definition.architecture or _DEFAULT_ARCHITECTURE,
        "diskControllerTypes": definition.disk_controllers,
        "acceleratedNetwork": definition.accelerated_network,
    }
    properties = {
        **sent,
        "osType": definition.os_type or sent.get("osType"),
        "hyperVGeneration": definition.generation or sent.get("hyperVGeneration"),
        "supportedCapabilities": {**declared, **sent.get("supportedCapabilities", {})},
        "supportsHibernation": sent.get("supportsHibernation") or definition.hibernates,
        "purchasePlan": definition.plan.body() if definition.plan else sent.get("purchasePlan"),
        "provisioningState": "Succeeded",
        "diskState": "Unattached",
    }
    return {**body, "id": disk_id, "name": disk_id.rsplit("/", 1)[-1], "properties": properties}


def _security_type(vm: Vm, current: Disk) -> str | None:
    """The VM's security type as a disk has it; a disk of a confidential VM also says what is encrypted, as `current`.

    A VM can be upgraded to Trusted Launch, and its OS disk then keeps what it shows:
    https://learn.microsoft.com/azure/virtual-machines/trusted-launch-existing-vm
    """
    own = (vm.security_type or _STANDARD).lower()
    if own == _STANDARD:
        return None
    return "TrustedLaunch" if own == _TRUSTED_LAUNCH else current.security_type


def _supports_hibernation(vm: Vm, current: Disk, definition: Definition) -> bool | None:
    if definition.hibernates is False:  # its owner declares that the image cannot
        return None
    return True if current.supports_hibernation or vm.hibernates else None


def _capabilities(vm: Vm, current: Disk, definition: Definition) -> dict[str, Any] | None:
    """The capabilities to send: none where the image definition declares all that the OS disk has.

    What the definition declares counts: its owner describes the image. What it leaves open is that of the VM's OS disk,
    because Azure would take a default: https://learn.microsoft.com/azure/virtual-machines/nvme-linux
    """
    open_ones = {
        "diskControllerTypes": None if definition.disk_controllers else _controllers(vm, current),
        "acceleratedNetwork": _undeclared(definition.accelerated_network, current, "acceleratedNetwork"),
        "supportedSecurityOption": _undeclared(definition.security_type, current, "supportedSecurityOption"),
    }
    sent = {name: value for name, value in open_ones.items() if value is not None}
    if not sent:
        return None
    # The object may be taken as a whole, so what the definition declares is repeated.
    declared = {
        "architecture": definition.architecture or current.architecture or _DEFAULT_ARCHITECTURE,
        "diskControllerTypes": definition.disk_controllers,
        "acceleratedNetwork": definition.accelerated_network,
    }
    return {**{name: value for name, value in declared.items() if value is not None}, **sent}


def _undeclared(declared: object, current: Disk, name: str) -> Any:
    return None if declared is not None else current.settings.get(f"{_CAPABILITIES}.{name}")


def _controllers(vm: Vm, current: Disk) -> str | None:
    """The controllers of the OS disk, and the one that the VM uses."""
    used = vm.disk_controller or _DEFAULT_CONTROLLER
    known = [one.strip() for one in (current.disk_controllers or _DEFAULT_CONTROLLER).split(",")]
    if used.lower() in [one.lower() for one in known]:
        return current.disk_controllers
    return ", ".join([*known, used])


def _other_settings(vm: Vm, current: Disk) -> dict[str, Any]:
    """The settings that are carried over as they are; a promotion code only with the plan that it is for."""
    other = {path: value for path, value in current.settings.items() if not path.startswith(_CAPABILITIES)}
    if vm.plan is None or current.plan != vm.plan:
        other.pop(_PROMOTION, None)
    return other


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
