"""Defaults and derived properties of a managed disk.

Decides state, size, performance, encryption and network defaults. Does not know requests and operations.
"""

from __future__ import annotations

from simulator.arm.core.messages import stamp
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.disk_sizes import has_chosen_performance, performance, sku_tier

_GIB = 1024**3
_DEFAULT_GB = 30
_SECTOR_BYTES = 4096


def complete_disk(services: Services, record: Record) -> None:
    """Add ARM's defaults to a disk; existing values stay."""
    body, properties = record.body, record.properties
    identify(record)
    sku = body.setdefault("sku", {"name": "Standard_LRS"})
    sku["tier"] = sku_tier(sku.get("name", "Standard_LRS"))
    properties.setdefault("creationData", {"createOption": "Empty"})
    properties.setdefault("diskSizeGB", _DEFAULT_GB)
    derive_performance(body)
    properties.setdefault("encryption", {"type": "EncryptionAtRestWithPlatformKey"})
    properties.setdefault("networkAccessPolicy", "AllowAll")
    properties.setdefault("publicNetworkAccess", "Enabled")
    properties.setdefault("timeCreated", stamp(services.now()))
    properties.setdefault("provisioningState", "Succeeded")
    properties.setdefault("diskState", "Unattached")
    properties.setdefault("uniqueId", services.guid("uniqueId", record.id))
    complete_shares(body)
    if properties.get("burstingEnabled"):
        properties.setdefault("burstingEnabledTime", stamp(services.now()))


def complete_shares(body: Json) -> None:
    """Add what Azure adds to a disk whose performance the user sets, and to one that several VMs can share.

    Recorded for Ultra by azure-cli (`test_vm_disk_max_shares_etc`, `test_snapshot_ultra_ssd`, 2023).
    """
    properties = body["properties"]
    if has_chosen_performance(body["sku"]["name"]):
        properties["creationData"].setdefault("logicalSectorSize", _SECTOR_BYTES)
        properties.setdefault("readOnly", False)
        properties.setdefault("maxShares", 1)
        properties.setdefault("diskIOPSReadOnly", properties["diskIOPSReadWrite"])
        properties.setdefault("diskMBpsReadOnly", properties["diskMBpsReadWrite"])


def derive_performance(body: Json) -> None:
    """Set size in bytes, tier, IOPS and throughput from SKU and size; Ultra and Premium v2 keep set values."""
    properties = body["properties"]
    sku, size_gb = body["sku"]["name"], int(properties["diskSizeGB"])
    numbers = performance(sku, size_gb, properties.get("tier"))
    for key, value in (("diskIOPSReadWrite", numbers.iops), ("diskMBpsReadWrite", numbers.mbps)):
        if key not in properties or not has_chosen_performance(sku):
            properties[key] = value
    properties["diskSizeBytes"] = size_gb * _GIB
    properties.pop("tier", None)
    if numbers.tier:
        properties["tier"] = numbers.tier


def identify(record: Record) -> None:
    """Write id, name and type into a body."""
    record.body |= {"name": record.id.name, "id": record.id.text, "type": record.id.type}
