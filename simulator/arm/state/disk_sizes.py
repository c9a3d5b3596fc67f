"""Performance and tier of a managed disk, from its SKU and size.

Decides the numbers, from Azure's published tables. Does not know the source of a disk.
https://learn.microsoft.com/azure/virtual-machines/disks-types
"""

from __future__ import annotations

from dataclasses import dataclass

# (largest size in GiB, Premium tier, IOPS, MB/s)
_PREMIUM = (
    (4, "P1", 120, 25), (8, "P2", 120, 25), (16, "P3", 120, 25), (32, "P4", 120, 25), (64, "P6", 240, 50),
    (128, "P10", 500, 100), (256, "P15", 1100, 125), (512, "P20", 2300, 150), (1024, "P30", 5000, 200),
    (2048, "P40", 7500, 250), (4096, "P50", 7500, 250), (8192, "P60", 16000, 500), (16384, "P70", 18000, 750),
    (32767, "P80", 20000, 900),
)  # fmt: skip
_PREMIUM_BY_TIER = {tier: (iops, mbps) for _, tier, iops, mbps in _PREMIUM}
_STANDARD_IOPS, _STANDARD_MBPS = 500, 60
_V2_IOPS, _V2_MBPS = 3000, 125

SKUS = (
    "Premium_LRS", "PremiumV2_LRS", "Premium_ZRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Standard_LRS", "UltraSSD_LRS"
)  # fmt: skip
_SKU_TIERS = {"Premium": "Premium", "PremiumV2": "Premium", "StandardSSD": "Standard", "Standard": "Standard",
              "UltraSSD": "Ultra"}  # fmt: skip


@dataclass(frozen=True)
class Performance:
    """A disk's performance; `tier` only where Azure shows one (Premium SSD)."""

    iops: int
    mbps: int
    tier: str | None


def sku_tier(sku: str) -> str:
    """The `sku.tier` that Azure adds to a SKU name."""
    return _SKU_TIERS.get(sku.split("_", maxsplit=1)[0], "Standard")


def has_chosen_performance(sku: str) -> bool:
    """Whether the user sets the performance (for other SKUs it follows from the size)."""
    return sku.startswith(("UltraSSD", "PremiumV2"))


def performance(sku: str, size_gb: int, tier: str | None = None) -> Performance:
    """The performance of a disk of `size_gb` GiB; a Premium SSD can have a higher `tier` than that of its size."""
    family = sku.split("_", maxsplit=1)[0]
    if family == "Premium":
        own = next((row[1] for row in _PREMIUM if size_gb <= row[0]), "P80")
        chosen = tier if tier in _PREMIUM_BY_TIER else own
        iops, mbps = _PREMIUM_BY_TIER[chosen]
        return Performance(iops, mbps, chosen)
    if family in ("PremiumV2", "UltraSSD"):
        return Performance(_V2_IOPS, _V2_MBPS, None)
    return Performance(_STANDARD_IOPS, _STANDARD_MBPS, None)
