"""The data disks of a VM, which a swap must not change.

Decides how they are recorded to be compared afterwards. Does not know how a VM is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class DataDisk:
    """A data disk as the VM's model attaches it."""

    lun: int
    name: str
    caching: str


def data_disks_of(disks: Iterable[DataDisk]) -> tuple[str, ...]:
    """Data disks as texts to record and compare: `lun:name:caching` each, ordered by LUN; the name in lower case."""
    ordered = sorted(disks, key=lambda disk: disk.lun)
    return tuple(f"{disk.lun}:{disk.name.lower()}:{disk.caching}" for disk in ordered)
