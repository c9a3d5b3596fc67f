"""What the hub handed out and when: for tests that ask who waited behind whom, and for a demo that shows it.

Decides what a line says. Refuses to know why the work was there.
"""

from __future__ import annotations

from collections import deque
from typing import Literal, NamedTuple

from simulator.clock import Clock
from simulator.durable.worker import FunctionKind

Happening = Literal["scheduled", "dispatched", "completed", "lost"]

# A long-lived simulator must not grow without end; a month of 2,500 VMs stays far below this.
_KEPT_ENTRIES = 500_000


class TraceEntry(NamedTuple):
    """One line: at `t` simulated seconds, `what` happened to the work of function `name` for `instance_id`."""

    t: float
    kind: FunctionKind
    name: str
    instance_id: str
    what: Happening
    task_id: int | None = None


class Trace(deque[TraceEntry]):
    """The lines in the order they happened."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(maxlen=_KEPT_ENTRIES)
        self._clock = clock

    def note(
        self, kind: FunctionKind, name: str, instance_id: str, what: Happening, task_id: int | None = None
    ) -> None:
        """Write one line with the present time."""
        self.append(TraceEntry(self._clock.time(), kind, name, instance_id, what, task_id))
