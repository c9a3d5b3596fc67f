"""A log of the work that the hub handed out, for tests of order and concurrency and for the demo.

Decides the fields of an entry. Does not know why the work was scheduled.
"""

from __future__ import annotations

from collections import deque
from typing import Literal, NamedTuple

from simulator.clock import Clock
from simulator.durable.worker import FunctionKind

Happening = Literal["scheduled", "dispatched", "completed", "lost"]

# A bound on memory; a month of 2,500 VMs stays far below it.
_MAX_ENTRIES = 500_000


class TraceEntry(NamedTuple):
    """One entry: at `t` simulated seconds, `what` happened to the work of function `name` for `instance_id`."""

    t: float
    kind: FunctionKind
    name: str
    instance_id: str
    what: Happening
    task_id: int | None = None


class Trace(deque[TraceEntry]):
    """The entries in the order they happened."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(maxlen=_MAX_ENTRIES)
        self._clock = clock

    def note(
        self, kind: FunctionKind, name: str, instance_id: str, what: Happening, task_id: int | None = None
    ) -> None:
        """Append one entry with the current time."""
        self.append(TraceEntry(self._clock.time(), kind, name, instance_id, what, task_id))
