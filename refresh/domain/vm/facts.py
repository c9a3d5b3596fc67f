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
from refresh.domain.vm.stop_choice import ChosenStop
from refresh.domain.vm.warnings import VmWarning
from refresh.domain.vm.wish import Wish


@dataclass(frozen=True)
class Facts:
    """What one decision rests on; a field is None where ARM has no such resource.

    `unreadable` is a sentence when something could not be read. `ran` are the hashes of disks that this VM is known to
    have run, `over` runs that have ended, `rejected` the ids (lower-case) of disks and versions found unhealthy on this
    VM. `preflight` is None where only lists were read; so are `warnings` and the chosen `stop` without their reads.
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
