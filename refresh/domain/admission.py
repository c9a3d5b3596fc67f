"""Who may be swapped now and who waits for what.

Decides from the queue, the swaps under way, the budgets and the pause switch. Refuses to know how a swap is started.
Budgets so far: swaps in flight, and one VM of an availability set at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from refresh.domain.reason import Wait


@dataclass(frozen=True)
class Row:
    """One VM that is queued or running: its availability set (lower-case id) counts against the set's budget."""

    group: str | None = None


@dataclass(frozen=True)
class Admission:
    """The VMs to start now, in order, and why each of the others waits."""

    admitted: tuple[str, ...]
    waiting: Mapping[str, Wait]


def choose_admissions(
    queue: Mapping[str, Row], running: Mapping[str, Row], *, max_swaps: int, paused: bool
) -> Admission:
    """Admit in queue order whoever breaks no budget; the mapping's order is the queue's order."""
    admitted: list[str] = []
    waiting: dict[str, Wait] = {}
    busy_groups = {row.group for row in running.values() if row.group}
    for vm, row in queue.items():
        wait = _wait_reason(vm, row, running, busy_groups, len(running) + len(admitted) >= max_swaps, paused)
        if wait is not None:
            waiting[vm] = wait
            continue
        admitted.append(vm)
        if row.group:
            busy_groups.add(row.group)
    return Admission(tuple(admitted), waiting)


def _wait_reason(
    vm: str, row: Row, running: Mapping[str, Row], busy_groups: set[str], full: bool, paused: bool
) -> Wait | None:
    if paused:
        return Wait.PAUSED
    if vm in running:
        return Wait.SWAPPING
    if full:
        return Wait.SWAPS_IN_FLIGHT
    if row.group in busy_groups:
        return Wait.AVAILABILITY_SET
    return None
