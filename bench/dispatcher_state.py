"""Measures the stored state of the app's entities and their operations, with a fleet at rest and an edit on all of it.

Decides the states and what is repeated in them:
- *quiet*: each VM has been swapped once, twenty at a time, with a sweep every five minutes.
- *hinted*: each VM has been tagged with another disk, and all events have arrived; 20 swaps run and one look is open.
- *queued*: the looks have decided about all VMs that they take; 20 swaps run and the others wait.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import batched
from math import ceil
from statistics import median

from bench.comparison import Figure
from bench.entities import Cost
from bench.fleet import Fleet
from bench.orchestrations import DELIVERED_LATER

SIZES, CPU, STORM = "stored state", "CPU time of an operation", "CPU time of events"
ENTITIES = "CPU time of an operation of one entity"
_LOOK, _STOP = "read_hints", "ensure_stopped"
_NAMED = {"dispatcher": "@dispatcher@app", "inbox": "@inbox@app"}
_AT_ONCE = 20
_EVENTS_TOGETHER = 20
# A look takes longer than the events of a storm: so many arrive while one decides about its VMs.
_EVENTS_PER_LOOK = 500
_PILOT = 20
# The CPU time of the storm that is measured; beyond it one operation of an odd number of them is.
_BUDGET_S = 20.0
_OF_LOOKS = ("hint", "take", "decided", DELIVERED_LATER)
_OPERATIONS = ("hint, a new VM", "hint, a VM that is there", "take", "decided", "claim", "step", "finished")


def measure(vms: int, events: int, repeats: int) -> Iterator[Figure]:
    """The figures of the app in use with a fleet of `vms`, and of `events` events about it."""
    fleet = Fleet()
    names = [f"vm-web-{number:05}" for number in range(vms)]
    for batch in batched(names, _AT_ONCE, strict=False):
        for name in batch:
            fleet.edit(name, "202611.1.0")
        fleet.orchestrations.settle()
        fleet.sweep_if_due()
    yield from _sizes(fleet, "quiet")
    fleet.orchestrations.held = frozenset((_LOOK, _STOP))
    yield from _Operations(fleet, "quiet").measure(repeats, names)
    yield from _measure_events(fleet, names, events, 1)
    yield from _measure_events(fleet, names, events, _EVENTS_TOGETHER)
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
    sizes = {name: size for name, size in fleet.entities.sizes().items() if size}
    numbers = {name: sizes[entity] for name, entity in _NAMED.items() if entity in sizes}
    others = [size for name, size in sizes.items() if name not in _NAMED.values()]
    numbers |= {"largest of the others": max(others)} if others else {}
    for name, size in {**numbers, "largest entity": max(sizes.values()), "all": sum(sizes.values())}.items():
        yield Figure(SIZES, f"{name}, {state}", "kB", size / 1000)
    yield Figure(SIZES, f"entities, {state}", "", len(sizes))


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
        self._fleet.entities.take_costs()
        for number in range(repeats):
            self._hint(f"other-{self._state}-{number:04}")
            if not runs.waiting(_LOOK):
                self._measured(runs.settle, "take", DELIVERED_LATER)
            self._measured(lambda: runs.release(_LOOK), "decided")
            if runs.waiting(_LOOK):
                self._note("take")
            if edited is not None:
                self._fleet.edit(edited[number], "202612.1.0")
                _look_until_swap(self._fleet)
            for act in (runs.run_started, lambda: runs.release(_STOP), runs.run_started):
                self._measured(act)
            if edited is not None:
                _look_at_all(self._fleet)
        for name in (*_OPERATIONS, *(other for other in self._found if other not in _OPERATIONS)):
            if self._found[name]:
                yield Figure(CPU, f"{name}, {self._state}", "ms", median(self._found[name]))
        for (entity, operation), cost in sorted(self._fleet.entities.take_costs().items()):
            if cost.measured:
                yield Figure(ENTITIES, f"{entity} {operation}, {self._state}", "ms", median(cost.each_s) * 1000)

    def _hint(self, prefix: str) -> None:
        for name in _OPERATIONS[:2]:
            self._measured(lambda: self._fleet.touch(f"{prefix}-00"), "hint", named=name)
        for number in range(1, _hints_per_look()):
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


def _hints_per_look() -> int:
    """How many hints a look of the app in use takes at one time."""
    return int(importlib.import_module("refresh.records.swap").HINTS_PER_LOOK)


def _look_until_swap(fleet: Fleet) -> None:
    """Have looks decide until a swap is started, which does not run yet."""
    fleet.orchestrations.settle()
    while not fleet.entities.starts and fleet.orchestrations.waiting(_LOOK):
        fleet.orchestrations.release(_LOOK)


def _measure_events(fleet: Fleet, names: list[str], events: int, together: int) -> Iterator[Figure]:
    """The CPU time of `events` events about VMs whose tags are fulfilled, and of the looks at these VMs.

    `together` of them arrive at the same time.
    """
    entities, runs = fleet.entities, fleet.orchestrations
    entities.take_costs()
    entities.measure_every = 1
    for name in names[:_PILOT]:
        fleet.touch(name)
    pilot_s = _total_s(entities.take_costs()) / min(_PILOT, len(names))
    entities.measure_every = ceil(pilot_s * events / _BUDGET_S) // 2 * 2 + 1
    for number in range(0, events, together):
        fleet.touch(*(names[one % len(names)] for one in range(number, min(number + together, events))))
        if number % _EVENTS_PER_LOOK == 0:
            runs.settle()
            if runs.waiting(_LOOK):
                runs.release(_LOOK)
    _look_at_all(fleet)
    entities.measure_every = 0
    costs = entities.take_costs()
    how = f"{together} together" if together > 1 else "one by one"
    yield Figure(STORM, f"{events:,} events, {len(names):,} VMs, {how}, with their looks", "s", _total_s(costs))
    yield Figure(STORM, f"operations of entities, {how}", "", sum(cost.calls for cost in costs.values()))
    yield Figure(STORM, f"operations that were measured, {how}", "", sum(cost.measured for cost in costs.values()))


def _total_s(costs: Mapping[tuple[str, str], Cost]) -> float:
    return sum(cost.total_s for cost in costs.values())
