"""A VM size in a region as a plain value: what it supports, the disks of its host, and where it may not be used.

Decides which entries of a size restrict a VM. https://learn.microsoft.com/rest/api/compute/resource-skus/list
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Restriction:
    """A reason (`NotAvailableForSubscription`, `QuotaId`) why a size may not be used: in `zones`, or in the region."""

    reason: str
    zones: tuple[str, ...] = ()


@dataclass(frozen=True)
class VmSize:
    """A size in one region. `temporary_mb` is its temporary disk and `nvme_mib` its local NVMe disks (0: none).

    `zones` are those that offer the size; none are listed in a region without zones.
    """

    name: str
    takes_premium: bool = False
    temporary_mb: int = 0
    nvme_mib: int = 0
    zones: tuple[str, ...] = ()
    restrictions: tuple[Restriction, ...] = ()

    @property
    def local_disks(self) -> tuple[str, ...]:
        """The disks of the host that a VM of this size has, in words."""
        found = (("temporary disk", self.temporary_mb), ("local NVMe disks", self.nvme_mib))
        return tuple(f"{what} ({max(1, size // 1024)} GiB)" for what, size in found if size > 0)

    def why_restricted(self, zones: Collection[str]) -> str | None:
        """Why a VM of this size in `zones` (none: not in a zone) may not start again; None where nothing forbids it."""
        for one in self.restrictions:
            shared = [zone for zone in one.zones if zone in zones]
            if not one.zones or shared:
                where = f"zone {', '.join(shared)}" if shared else "its region"
                return f"Azure lists size {self.name} as {one.reason} in {where}"
        absent = [zone for zone in zones if self.zones and zone not in self.zones]
        return f"Azure does not list size {self.name} in zone {', '.join(absent)}" if absent else None
