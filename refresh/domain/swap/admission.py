"""Who may be swapped now and who waits for what.

Decides from the queue, the swaps under way, the budgets and the pause switch. Refuses to know how a swap is started.
Budgets so far: swaps in flight, and one VM of an availability set at a time. A disk is in one swap at a time: of two
VMs that ask for it only one can have it, and the other is not to be stopped to find that out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from refresh.domain.terms.swap_reason import Wait


@dataclass(frozen=True)
class AdmissionRow:
    """One VM that is queued, running or down: its availability set and the disks it may end on (lower-case ids).

    `urgent` is one that a swap has begun with, or left down: no self-check is waited for then.
    """

    group: str | None = None
    disks: frozenset[str] = frozenset()
    urgent: bool = False


@dataclass(frozen=True)
class Admission:
    """The VMs to start now, in order, and why each of the others waits."""

    admitted: tuple[str, ...]
    waiting: Mapping[str, Wait]


@dataclass
class _Busy:
    """What the swaps under way leave no room for."""

    left: int
    groups: dict[str, set[str]] = field(default_factory=dict)
    disks: set[str] = field(default_factory=set)

    def take(self, vm: str, row: AdmissionRow) -> None:
        if row.group:
            self.groups.setdefault(row.group, set()).add(vm)
        self.disks |= row.disks


def choose_admissions(
    queue: Mapping[str, AdmissionRow],
    running: Mapping[str, AdmissionRow],
    *,
    max_swaps: int,
    paused: bool,
    unchecked: bool = False,
    down: Mapping[str, AdmissionRow] | None = None,
) -> Admission:
    """Admit in queue order whoever breaks no budget; the mapping's order is the queue's order.

    `unchecked`: a self-check is asked for and has not passed; only the urgent go then.
    `down` are VMs that an earlier swap could not bring up again: each still uses up its availability set's budget.
    """
    admitted: list[str] = []
    waiting: dict[str, Wait] = {}
    busy = _Busy(max_swaps - len(running))
    for vm, row in (*running.items(), *(down or {}).items()):
        busy.take(vm, row)
    for vm, row in queue.items():
        wait = Wait.PAUSED if paused else Wait.SWAPPING if vm in running else None
        if wait is None:
            wait = Wait.SELFCHECK if unchecked and not row.urgent else _wait_reason(vm, row, busy)
        if wait is not None:
            waiting[vm] = wait
            continue
        admitted.append(vm)
        busy.left -= 1
        busy.take(vm, row)
    return Admission(tuple(admitted), waiting)


def _wait_reason(vm: str, row: AdmissionRow, busy: _Busy) -> Wait | None:
    if busy.left <= 0:
        return Wait.SWAPS_IN_FLIGHT
    if row.group and busy.groups.get(row.group, set()) - {vm}:
        return Wait.AVAILABILITY_SET
    if not busy.disks.isdisjoint(row.disks):
        return Wait.SAME_DISK
    return None
