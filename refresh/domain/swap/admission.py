"""Which queued VMs may be swapped now, and what each of the others waits for.

Decides from the queue, the swaps under way, the budgets and the pause. Does not know how a swap is started. The budgets
are the swaps in flight, and one VM of an availability set at a time. A disk is in one swap at a time: of two VMs whose
tags name it only one can have it, and the other must not be stopped for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from refresh.domain.terms.swap_reason import Wait


@dataclass(frozen=True)
class AdmissionRow:
    """One VM that is queued, running or down: its availability set and the disks it may end on (lower-case ids).

    `urgent`: a swap has begun with the VM, or left it down, so it waits for no self-check.
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
    """The swaps that may still start, and the availability sets and disks that are in use."""

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
    """Admit, in the order of the mapping, each VM that breaks no budget.

    `unchecked`: swaps wait for a self-check that has not passed; only the urgent start then.
    `down` are VMs that an earlier swap could not bring up again: each still uses up its availability set's budget.
    """
    if paused:
        return Admission((), dict.fromkeys(queue, Wait.PAUSED))
    busy = _busy_of(running, max_swaps, down)
    waits = dict(_judge(queue.items(), running, busy, unchecked=unchecked))
    return Admission(
        tuple(vm for vm, wait in waits.items() if wait is None),
        {vm: wait for vm, wait in waits.items() if wait is not None},
    )


def choose_next(
    queue: Iterable[tuple[str, AdmissionRow]],
    running: Mapping[str, AdmissionRow],
    *,
    max_swaps: int,
    unchecked: bool = False,
    down: Mapping[str, AdmissionRow] | None = None,
) -> tuple[str, ...]:
    """The VMs that `choose_admissions` admits without a pause; reads the queue until no other may start."""
    busy, admitted = _busy_of(running, max_swaps, down), []
    if busy.left <= 0:
        return ()
    for vm, wait in _judge(queue, running, busy, unchecked=unchecked):
        if wait is None:
            admitted.append(vm)
        if busy.left <= 0:
            break
    return tuple(admitted)


def _busy_of(running: Mapping[str, AdmissionRow], max_swaps: int, down: Mapping[str, AdmissionRow] | None) -> _Busy:
    busy = _Busy(max_swaps - len(running))
    for vm, row in (*running.items(), *(down or {}).items()):
        busy.take(vm, row)
    return busy


def _judge(
    queue: Iterable[tuple[str, AdmissionRow]], running: Mapping[str, AdmissionRow], busy: _Busy, *, unchecked: bool
) -> Iterator[tuple[str, Wait | None]]:
    """Each queued VM and why it waits; None for one that is admitted, which `busy` then counts."""
    for vm, row in queue:
        if vm in running:
            wait: Wait | None = Wait.SWAPPING
        elif unchecked and not row.urgent:
            wait = Wait.SELFCHECK
        else:
            wait = _wait_reason(vm, row, busy)
        if wait is None:
            busy.left -= 1
            busy.take(vm, row)
        yield vm, wait


def _wait_reason(vm: str, row: AdmissionRow, busy: _Busy) -> Wait | None:
    if busy.left <= 0:
        return Wait.SWAPS_IN_FLIGHT
    if row.group and busy.groups.get(row.group, set()) - {vm}:
        return Wait.AVAILABILITY_SET
    if not busy.disks.isdisjoint(row.disks):
        return Wait.SAME_DISK
    return None
