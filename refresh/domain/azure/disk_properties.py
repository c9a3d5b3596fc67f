"""Every property of a managed disk in Azure's API, and where a month's new disk takes each from.

Decides which properties are carried over from the VM's OS disk, and gives a reason for each that is not. A test
compares the table with azure-mgmt-compute: a property that Azure adds fails it until it is in the table. Leaves the
body of a new disk to `disks/new_disk.py`.
https://learn.microsoft.com/rest/api/compute/disks/get#disk
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from refresh.domain.terms.encodable import encodable


class Origin(StrEnum):
    """Where the new disk takes a property from."""

    DISK = "carried over from the VM's OS disk"
    VM = "that of the VM"
    IMAGE = "given by the image version"
    MONTH = "chosen by the month"
    AZURE = "set by Azure"
    NONE = "not carried over"


_OTHER_SOURCE = (Origin.NONE, "belongs to another source than an image version")
_READ_ONLY = (Origin.AZURE, "read-only")
_CAPABILITY = (Origin.IMAGE, "that of the OS disk where the image definition does not declare it")
_CHOSEN_SKUS = ("ultrassd_", "premiumv2_")

PROPERTIES: Mapping[str, tuple[Origin, str]] = {
    "id": (Origin.MONTH, "a disk of the VM's resource group"),
    "name": (Origin.MONTH, "<vm>-<yyyymm>"),
    "type": _READ_ONLY,
    "systemData": _READ_ONLY,
    "managedBy": _READ_ONLY,
    "managedByExtended": _READ_ONLY,
    "location": (Origin.VM, "Azure swaps disks within a region only"),
    "zones": (Origin.VM, "none for a zone-redundant SKU"),
    "extendedLocation.name": (Origin.VM, "Azure swaps disks within an edge zone only"),
    "extendedLocation.type": (Origin.VM, "EdgeZone"),
    "sku.name": (Origin.DISK, ""),
    "sku.tier": _READ_ONLY,
    "tags": (Origin.DISK, "without the tags of the app"),
    "properties.osType": (Origin.DISK, "the image must have the same"),
    "properties.hyperVGeneration": (Origin.DISK, "the image must have the same"),
    "properties.diskSizeGB": (Origin.DISK, "that of the image where it is larger"),
    "properties.tier": (Origin.DISK, "where it is above the tier of the size"),
    "properties.encryption.type": (Origin.DISK, ""),
    "properties.encryption.diskEncryptionSetId": (Origin.DISK, ""),
    "properties.networkAccessPolicy": (Origin.DISK, ""),
    "properties.publicNetworkAccess": (Origin.DISK, ""),
    "properties.diskAccessId": (Origin.DISK, ""),
    "properties.dataAccessAuthMode": (Origin.DISK, ""),
    "properties.burstingEnabled": (Origin.DISK, ""),
    "properties.maxShares": (Origin.DISK, ""),
    "properties.optimizedForFrequentAttach": (Origin.DISK, ""),
    "properties.availabilityPolicy.actionOnDiskDelay": (Origin.DISK, ""),
    "properties.diskIOPSReadWrite": (Origin.DISK, "where the SKU lets it be chosen"),
    "properties.diskMBpsReadWrite": (Origin.DISK, "where the SKU lets it be chosen"),
    "properties.diskIOPSReadOnly": (Origin.DISK, "where the SKU lets it be chosen"),
    "properties.diskMBpsReadOnly": (Origin.DISK, "where the SKU lets it be chosen"),
    "properties.creationData.performancePlus": (Origin.DISK, "can be set on a new disk only"),
    "properties.creationData.logicalSectorSize": (Origin.DISK, "can be set on a new disk only"),
    "properties.supportsHibernation": (Origin.VM, "also that of the OS disk; false where the image definition says so"),
    "properties.securityProfile.securityType": (Origin.VM, "of a confidential VM the kind that its OS disk has"),
    "properties.securityProfile.secureVMDiskEncryptionSetId": (
        Origin.NONE,
        "the app makes no disk for a confidential VM with a customer-managed key",
    ),
    "properties.securityProfile.confidentialVMVersion": _READ_ONLY,
    "properties.purchasePlan.name": (Origin.VM, "that of the image definition where it has one"),
    "properties.purchasePlan.publisher": (Origin.VM, "that of the image definition where it has one"),
    "properties.purchasePlan.product": (Origin.VM, "that of the image definition where it has one"),
    "properties.purchasePlan.promotionCode": (Origin.DISK, "where it has the VM's plan"),
    "properties.supportedCapabilities.diskControllerTypes": _CAPABILITY,
    "properties.supportedCapabilities.acceleratedNetwork": _CAPABILITY,
    "properties.supportedCapabilities.architecture": _CAPABILITY,
    "properties.supportedCapabilities.supportedSecurityOption": _CAPABILITY,
    "properties.creationData.createOption": (Origin.MONTH, "FromImage"),
    "properties.creationData.galleryImageReference": (Origin.MONTH, "the image version"),
    "properties.creationData.imageReference": _OTHER_SOURCE,
    "properties.creationData.storageAccountId": _OTHER_SOURCE,
    "properties.creationData.sourceUri": _OTHER_SOURCE,
    "properties.creationData.sourceResourceId": _OTHER_SOURCE,
    "properties.creationData.sourceUniqueId": _READ_ONLY,
    "properties.creationData.uploadSizeBytes": _OTHER_SOURCE,
    "properties.creationData.securityDataUri": _OTHER_SOURCE,
    "properties.creationData.securityMetadataUri": _OTHER_SOURCE,
    "properties.creationData.elasticSanResourceId": _OTHER_SOURCE,
    "properties.creationData.provisionedBandwidthCopySpeed": (Origin.NONE, "about a copy of a snapshot"),
    "properties.creationData.instantAccessDurationMinutes": (Origin.NONE, "about a snapshot"),
    "properties.encryptionSettingsCollection": (Origin.NONE, "Azure does not swap disks with Azure Disk Encryption"),
    "properties.completionPercent": (Origin.AZURE, "progress of a copy"),
    "properties.timeCreated": _READ_ONLY,
    "properties.diskSizeBytes": _READ_ONLY,
    "properties.uniqueId": _READ_ONLY,
    "properties.provisioningState": _READ_ONLY,
    "properties.diskState": _READ_ONLY,
    "properties.shareInfo": _READ_ONLY,
    "properties.burstingEnabledTime": _READ_ONLY,
    "properties.propertyUpdatesInProgress": _READ_ONLY,
    "properties.LastOwnershipUpdateTime": _READ_ONLY,
}
"""By path in the disk's ARM body: the origin, and the reason or a condition."""

# Properties that only matter to a new disk; those that a check or a decision reads are fields of `Disk`.
_KEPT = (
    "properties.dataAccessAuthMode",
    "properties.maxShares",
    "properties.optimizedForFrequentAttach",
    "properties.availabilityPolicy.actionOnDiskDelay",
    "properties.creationData.performancePlus",
    "properties.creationData.logicalSectorSize",
    "properties.purchasePlan.promotionCode",
    "properties.supportedCapabilities.acceleratedNetwork",
    "properties.supportedCapabilities.supportedSecurityOption",
)
# Azure derives them from the size of a disk of any other SKU, and takes them for these only:
# https://learn.microsoft.com/azure/virtual-machines/disks-types
_CHOSEN = (
    "properties.diskIOPSReadWrite",
    "properties.diskMBpsReadWrite",
    "properties.diskIOPSReadOnly",
    "properties.diskMBpsReadOnly",
)


def kept_settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """The values, by path, in a disk's ARM `body` of the properties that only a new disk needs."""
    sku = value_at(body, "sku.name")
    chosen = isinstance(sku, str) and sku.lower().startswith(_CHOSEN_SKUS)
    found = {path: value_at(body, path) for path in (*_KEPT, *(_CHOSEN if chosen else ()))}
    # A value of another kind than a text, a number or a boolean is none that Azure gives.
    kept = {path: value for path, value in found.items() if isinstance(value, str | int)}
    return {path: encodable(value) if isinstance(value, str) else value for path, value in kept.items()}


def value_at(body: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted `path` of a body; None when a part of the path is missing."""
    found: Any = body
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def put_at(body: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted `path` of a body; None is left out."""
    if value is None:
        return
    *parents, name = path.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[name] = value
