"""The facts that a decision about one VM rests on: what was read from Azure and what the dispatcher has recorded.

Decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.vms import Vm
from refresh.domain.terms.resource_id import id_hash
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.preflight_facts import PreflightFacts
from refresh.domain.vm.stop_choice import ChosenStop
from refresh.domain.vm.warnings import VmWarning
from refresh.domain.vm.wish import Wish


@dataclass(frozen=True)
class Fulfilled:
    """The disk (`disk_key`) that the VM ran when its tag was last fulfilled, and the time (ISO)."""

    disk: str
    at: str | None = None


@dataclass(frozen=True)
class Facts:
    """What one decision rests on; a field is None where ARM has no such resource.

    `unreadable` is a sentence when something could not be read. `ran` are the hashes of disks that this VM is known to
    have run, `over` runs that have ended, `rejected` the ids (lower-case) of disks and versions found unhealthy on this
    VM. `fulfilled` is None where the app has not fulfilled the tag yet, and for a swap that a person has requested.
    `preflight` is None where only lists were read; so are `warnings` and the chosen `stop` without their reads.
    """

    vm: Vm | None
    wish: Wish
    current: Disk | None = None
    wanted: Disk | None = None
    version: Version | None = None
    definition: Definition | None = None
    preflight: PreflightFacts | None = None
    unreadable: str | None = None
    unreadable_reason: Reason = Reason.UNREADABLE
    ran: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    over: frozenset[str] = frozenset()
    warnings: tuple[VmWarning, ...] | None = None
    stop: ChosenStop | None = None
    fulfilled: Fulfilled | None = None


def disk_key(unique_id: str | None, disk_id: str) -> str:
    """A hash that names a disk of one VM, whose `vmId` is `unique_id`: another VM with the same name has other keys."""
    return id_hash(f"{unique_id or ''} {disk_id}")
