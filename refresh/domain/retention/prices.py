"""What storage costs, roughly: public list prices, shown to people and used for nothing else.

Decides one price for each kind of storage: US dollars per GiB and month in East US, taken from the 1-TiB size of each
kind (P30, E30, S30) and from snapshots on standard storage. Smaller sizes cost somewhat more per GiB, other regions up
to a fifth more, a contract less: https://azure.microsoft.com/pricing/details/managed-disks/
"""

from __future__ import annotations

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Version

USD_PER_GIB_MONTH = {
    "premium": 0.132,
    "premiumv2": 0.081,
    "standardssd": 0.075,
    "standard": 0.04,
    "ultrassd": 0.12,
}
# Each replica of an image version is billed as a snapshot of the used part of its disk; the whole disk is the maximum:
# https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery#billing
SNAPSHOT_USD_PER_GIB_MONTH = 0.05
# Zone-redundant disks cost half as much again: https://azure.microsoft.com/pricing/details/managed-disks/
_ZONE_REDUNDANT = 1.5


def disk_usd(disk: Disk) -> float:
    """What keeping `disk` costs in a month, in US dollars; an unknown kind of disk as premium."""
    kind, _, redundancy = (disk.sku or "").lower().partition("_")
    price = USD_PER_GIB_MONTH.get(kind, USD_PER_GIB_MONTH["premium"])
    return round((disk.size_gb or 0) * price * (_ZONE_REDUNDANT if redundancy == "zrs" else 1.0), 2)


def version_usd(version: Version) -> float:
    """What keeping `version` costs in a month, in US dollars: at least one replica of its OS disk in each region."""
    return round((version.os_disk_size_gb or 0) * len(version.regions) * SNAPSHOT_USD_PER_GIB_MONTH, 2)
