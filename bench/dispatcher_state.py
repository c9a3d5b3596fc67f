"""Measures the dispatcher's stored state and its operations, with a fleet at rest and with an edit on all of it.

Decides the states and what is repeated in them:
- *quiet*: each VM has been swapped once.
- *hinted*: each VM has been tagged with another disk, and all events have arrived; 20 swaps run and one look is open.
- *queued*: the looks have decided about all of them; 20 swaps run and the others wait.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from math import ceil
from statistics import median

from bench.comparison import Figure
from bench.fleet import Fleet
from bench.orchestrations import DELIVERED_LATER

SIZES, CPU, STORM = "stored state", "CPU time of an operation", "CPU time of events"
_LOOK, _STOP = "read_hints", "ensure_stopped"
_DISPATCHER = "@dispatcher@app"
_AT_ONCE = 20
_HINTS_PER_LOOK = 50
# A look takes longer than the events of a storm: so many arrive while one decides about its VMs.
_EVENTS_PER_LOOK = 500
_PILOT = 20
# The CPU time of the storm that is measured; beyond it one operation of several is.
_BUDGET_S = 20.0
_OF_LOOKS = ("hint", "take", "decided", DELIVERED_LATER)
_OPERATIONS = ("hint, a new VM", "hint, a VM that is there", "take", "decided", "claim", "step", "finished")


def measure(vms: int, events: int, repeats: int) -> Iterator[Figure]:
    """The figures of the app in use with a fleet of `vms`, and of `events` events about it."""
    fleet = Fleet()
    names = [f"vm-web-{number:05}" for number in range(vms)]
    for start in range(0, vms, _HINTS_PER_LOOK):
        for name in names[start : start + _HINTS_PER_LOOK]:
            fleet.edit(name, "202611.1.0")
        fleet.orchestrations.settle()
    yield from _sizes(fleet, "quiet")
    fleet.orchestrations.held = frozenset((_LOOK, _STOP))
    yield from _Operations(fleet, "quiet").measure(repeats, names)
    yield from _measure_events(fleet, names, events)
    for name in names[:_AT_ONCE]:
        fleet.edit(name, "202701.1.0")
    _look_at_all(fleet)
    for name in names[_AT_ONCE:]:
        fleet.edit(name, "202701.1.0")
    fleet.orchestrations.settle()
    yield from _sizes(fleet, "hinted")
    yield from _Operations(fleet, "hinted").measure(repeats)
    _look_at_all(fleet)
    yield from _sizes(fleet, "queued")
    yield from _Operations(fleet, "queued").measure(repeats)


def _sizes(fleet: Fleet, state: str) -> Iterator[Figure]:
    sizes = fleet.entities.sizes()
    numbers = {"dispatcher": sizes[_DISPATCHER], "largest entity": max(sizes.values()), "all": sum(sizes.values())}
    for name, size in numbers.items():
        yield Figure(SIZES, f"{name}, {state}", "kB", size / 1000)


def _look_at_all(fleet: Fleet) -> None:
    """Have looks decide about every hint."""
    fleet.orchestrations.settle()
    while fleet.orchestrations.waiting(_LOOK):
        fleet.orchestrations.release(_LOOK)
        fleet.orchestrations.settle()


class _Operations:
    """Repeats each operation in one state of the fleet and measures it."""

    def __init__(self, fleet: Fleet, state: str) -> None:
        self._fleet, self._state = fleet, state
        self._found: dict[str, list[float]] = defaultdict(list)

    def measure(self, repeats: int, edited: list[str] | None = None) -> Iterator[Figure]:
        """The medians of `repeats` repetitions. With `edited` no swap is under way, and one of its VMs is edited first.

        What an operation costs has everything that it makes other entities do.
        """
        runs = self._fleet.orchestrations
        for number in range(repeats):
            self._hint(f"other-{self._state}-{number:04}")
            if not runs.waiting(_LOOK):
                self._measured(runs.settle, "take", DELIVERED_LATER)
            self._measured(lambda: runs.release(_LOOK), "decided")
            if runs.waiting(_LOOK):
                self._note("take")
            if edited is not None:
                self._fleet.edit(edited[number], "202612.1.0")
                _look_once(self._fleet)
            for act in (runs.run_started, lambda: runs.release(_STOP), runs.run_started):
                self._measured(act)
            if edited is not None:
                _look_at_all(self._fleet)
        for name in (*_OPERATIONS, *(other for other in self._found if other not in _OPERATIONS)):
            if self._found[name]:
                yield Figure(CPU, f"{name}, {self._state}", "ms", median(self._found[name]))

    def _hint(self, prefix: str) -> None:
        for name in _OPERATIONS[:2]:
            self._measured(lambda: self._fleet.touch(f"{prefix}-00"), "hint", named=name)
        for number in range(1, _HINTS_PER_LOOK):
            self._fleet.touch(f"{prefix}-{number:02}")

    def _measured(self, act: Callable[[], None], *operations: str, named: str | None = None) -> None:
        """Note what these operations cost; without `operations` all of a swap."""
        entities, calls_ms = self._fleet.entities, self._fleet.orchestrations.calls_ms
        calls_ms.clear()
        entities.measure_every = 1
        act()
        entities.measure_every = 0
        for operation in operations or [one for one in calls_ms if one not in _OF_LOOKS]:
            self._note(operation, named)

    def _note(self, operation: str, named: str | None = None) -> None:
        self._found[named or operation] += self._fleet.orchestrations.calls_ms.pop(operation, [])


def _look_once(fleet: Fleet) -> None:
    """Have one look decide; the swaps that follow are started and do not run yet."""
    fleet.orchestrations.settle()
    fleet.orchestrations.release(_LOOK)


def _measure_events(fleet: Fleet, names: list[str], events: int) -> Iterator[Figure]:
    """The CPU time of `events` events about VMs whose tags are fulfilled, and of the looks at these VMs."""
    entities, runs = fleet.entities, fleet.orchestrations
    entities.take_costs()
    entities.measure_every = 1
    for name in names[:_PILOT]:
        fleet.touch(name)
    pilot_s = sum(cost.cpu_s for cost in entities.take_costs().values()) / min(_PILOT, len(names))
    entities.measure_every = max(1, ceil(pilot_s * events / _BUDGET_S))
    for number in range(events):
        fleet.touch(names[number % len(names)])
        if number % _EVENTS_PER_LOOK == 0:
            runs.settle()
            if runs.waiting(_LOOK):
                runs.release(_LOOK)
    _look_at_all(fleet)
    entities.measure_every = 0
    costs = entities.take_costs()
    total_s = sum(cost.total_s for cost in costs.values())
    yield Figure(STORM, f"{events:,} events, {len(names):,} VMs, with their looks", "s", total_s)
    yield Figure(STORM, "operations of entities", "", sum(cost.calls for cost in costs.values()))
    yield Figure(STORM, "operations that were measured", "", sum(cost.measured for cost in costs.values()))
