"""The facts that preflight checks need beside the VM and its disks: the app's rights, locks, other VMs' tags.

Decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from refresh.domain.azure.locks import Lock
from refresh.domain.vm.reservation import Reservation


@dataclass(frozen=True)
class PreflightFacts:
    """Facts that are read once for this swap, or for many.

    `gaps` are the actions that the app lacks, by lower-case id of each resource that the swap touches; an absent one
    was not read. `locks` are those of the groups concerned, with everything above and below them. `named_by` is the
    id of another VM whose tag names the same disk, `reserved` the VM that the disk is kept for, `wishes_read` whether
    other VMs' tags were read. `takes_premium` is whether the VM's size supports premium disks; None where it was not
    read or Azure gives no answer.
    """

    gaps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    locks: tuple[Lock, ...] = ()
    named_by: str | None = None
    reserved: Reservation | None = None
    wishes_read: bool = True
    takes_premium: bool | None = None
