"""Which queued VMs may be swapped now, and what each of the others waits for.

Decides from the queue, the swaps under way, the limits and the pause. Does not know how a swap is started.

A VM that is down comes first. To start it stops nothing, so it waits for no pause, self-check, swap or availability
set, only for its own limit (`max_starts`). Swaps back to a disk that the VM ran before come next, then all others; they
wait for a pause, for `max_swaps`, and for another VM of their availability set. A disk is in one swap at a time: of two
VMs that wish for it only one can have it, and the other must not be stopped for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from refresh.domain.terms.swap_reason import Wait


@dataclass(frozen=True)
class AdmissionRow:
    """One VM that is queued, running or down: its availability set and the disks it may end on (lower-case ids).

    `urgent`: a swap has begun with the VM, or left it down, so it waits for no self-check. `down`: a swap left it down.
    `back`: it returns to a disk that it ran before. `idle`: its start waits for capacity and occupies no activity.
    """

    group: str | None = None
    disks: frozenset[str] = frozenset()
    urgent: bool = False
    down: bool = False
    back: bool = False
    idle: bool = False

    @property
    def rank(self) -> int:
        """The VMs of a lower rank are admitted before those of a higher one."""
        return 0 if self.down else 1 if self.back else 2


@dataclass(frozen=True)
class Limits:
    """How many swaps, and how many starts of VMs that are down, may be under way; whether swaps are held back.

    `unchecked`: swaps wait for a self-check that has not passed; only the urgent start then.
    """

    max_swaps: int
    max_starts: int
    paused: bool = False
    unchecked: bool = False


@dataclass(frozen=True)
class Admission:
    """The VMs to start now, in order, and why each of the others waits, in the same order."""

    admitted: tuple[str, ...]
    waiting: Mapping[str, Wait]


@dataclass
class _Busy:
    """The swaps and starts that may still begin, and the availability sets and disks that are in use."""

    swaps: int
    starts: int
    groups: dict[str, set[str]] = field(default_factory=dict)
    disks: set[str] = field(default_factory=set)

    def take(self, vm: str, row: AdmissionRow) -> None:
        if row.group:
            self.groups.setdefault(row.group, set()).add(vm)
        self.disks |= row.disks

    def admit(self, vm: str, row: AdmissionRow) -> None:
        self.take(vm, row)
        if row.down:
            self.starts -= 1
        else:
            self.swaps -= 1


def choose_admissions(
    queue: Mapping[str, AdmissionRow],
    running: Mapping[str, AdmissionRow],
    limits: Limits,
    *,
    down: Mapping[str, AdmissionRow] | None = None,
) -> Admission:
    """Admit, by rank and then in the order of the mapping, each VM that breaks no limit.

    `down` are VMs that an earlier swap could not bring up again: each still uses up its availability set's budget.
    """
    ordered = sorted(queue.items(), key=lambda item: item[1].rank)
    waits = dict(_judge(ordered, running, _busy_of(running, limits, down), limits))
    return Admission(
        tuple(vm for vm, wait in waits.items() if wait is None),
        {vm: wait for vm, wait in waits.items() if wait is not None},
    )


def choose_next(
    queue: Iterable[tuple[str, AdmissionRow]],
    running: Mapping[str, AdmissionRow],
    limits: Limits,
    *,
    down: Mapping[str, AdmissionRow] | None = None,
) -> tuple[str, ...]:
    """The VMs that `choose_admissions` admits of a queue ordered by rank, which is read until no other may start."""
    busy = _busy_of(running, limits, down)
    if busy.starts <= 0 and (limits.paused or busy.swaps <= 0):
        return ()
    chosen = _judge(_while_one_may_start(queue, busy, limits), running, busy, limits)
    return tuple(vm for vm, wait in chosen if wait is None)


def _while_one_may_start(
    queue: Iterable[tuple[str, AdmissionRow]], busy: _Busy, limits: Limits
) -> Iterator[tuple[str, AdmissionRow]]:
    for vm, row in queue:
        if not row.down and (limits.paused or busy.swaps <= 0):
            return
        yield vm, row


def _busy_of(running: Mapping[str, AdmissionRow], limits: Limits, down: Mapping[str, AdmissionRow] | None) -> _Busy:
    swaps = sum(not row.down for row in running.values())
    starts = sum(row.down and not row.idle for row in running.values())
    busy = _Busy(limits.max_swaps - swaps, limits.max_starts - starts)
    for vm, row in (*running.items(), *(down or {}).items()):
        busy.take(vm, row)
    return busy


def _judge(
    queue: Iterable[tuple[str, AdmissionRow]], running: Mapping[str, AdmissionRow], busy: _Busy, limits: Limits
) -> Iterator[tuple[str, Wait | None]]:
    """Each queued VM and why it waits; None for one that is admitted, which `busy` then counts."""
    for vm, row in queue:
        wait = Wait.SWAPPING if vm in running else _wait_reason(vm, row, busy, limits)
        if wait is None:
            busy.admit(vm, row)
        yield vm, wait


def _wait_reason(vm: str, row: AdmissionRow, busy: _Busy, limits: Limits) -> Wait | None:
    wait = _wait_for_start(busy) if row.down else _wait_for_swap(vm, row, busy, limits)
    if wait is None and not busy.disks.isdisjoint(row.disks):
        return Wait.SAME_DISK
    return wait


def _wait_for_start(busy: _Busy) -> Wait | None:
    return Wait.STARTS_IN_FLIGHT if busy.starts <= 0 else None


def _wait_for_swap(vm: str, row: AdmissionRow, busy: _Busy, limits: Limits) -> Wait | None:
    if limits.paused:
        return Wait.PAUSED
    if limits.unchecked and not row.urgent:
        return Wait.SELFCHECK
    if busy.swaps <= 0:
        return Wait.SWAPS_IN_FLIGHT
    if row.group and busy.groups.get(row.group, set()) - {vm}:
        return Wait.AVAILABILITY_SET
    return None
