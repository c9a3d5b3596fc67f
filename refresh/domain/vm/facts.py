"""Everything that a decision about one VM rests on.

Decides nothing: it carries what was read, and what the app remembers, from whoever read it to whoever judges.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.vms import Vm
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.preflight_facts import Surroundings
from refresh.domain.vm.warnings import VmWarning
from refresh.domain.vm.wish import Wish


@dataclass(frozen=True)
class Facts:
    """None where ARM says it is not there.

    `unreadable` is a sentence when something could not be read; `ran` the hashes of disks this VM is known to have
    run; `over` runs that have ended; `rejected` the disk and version ids (lower-case) found unhealthy on this VM;
    `around` is None where only lists were read; `warnings` are those that take reads of their own.
    """

    vm: Vm | None
    wish: Wish
    current: Disk | None = None
    wanted: Disk | None = None
    version: Version | None = None
    definition: Definition | None = None
    around: Surroundings | None = None
    unreadable: str | None = None
    unreadable_reason: Reason = Reason.UNREADABLE
    ran: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    over: frozenset[str] = frozenset()
    warnings: tuple[VmWarning, ...] = ()
