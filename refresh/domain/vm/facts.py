"""The facts that a decision about one VM rests on: what was read from Azure and what the dispatcher has recorded.

Decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.vms import Vm
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.preflight_facts import PreflightFacts
from refresh.domain.vm.warnings import VmWarning
from refresh.domain.vm.wish import Wish


@dataclass(frozen=True)
class Fulfilled:
    """The last fulfilled tag: hash of the disk that the VM ran then, the time (ISO), the hash of the VM's `vmId`."""

    disk: str
    at: str | None = None
    vm: str | None = None


@dataclass(frozen=True)
class Facts:
    """What one decision rests on; a field is None where ARM has no such resource.

    `unreadable` is a sentence when something could not be read. `ran` are the hashes of disks that this VM is known to
    have run, `over` runs that have ended, `rejected` the ids (lower-case) of disks and versions found unhealthy on this
    VM. `fulfilled` is None where the app has not fulfilled the tag yet, and for a swap that a person has requested.
    `preflight` is None where only lists were read. `warnings` are those that need extra reads.
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
    warnings: tuple[VmWarning, ...] = ()
    fulfilled: Fulfilled | None = None
