"""The hub's connection to its one worker: the attached worker, the trace and the interruptions of tests.

Decides how long lost work stays hidden. Does not know what the work is.
"""

from __future__ import annotations

import asyncio

from simulator.durable.trace import Trace
from simulator.durable.worker import Interruptions, Worker, WorkerDied

# A worker that holds a message hides it again 30 s before it becomes visible, at intervals between 5 and 30 s.
# https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/TaskActivityDispatcher.cs
_RENEWED_BEFORE_S, _MIN_RENEWAL_S, _MAX_RENEWAL_S = 30.0, 5.0, 30.0


class WorkerSlot:
    """Holds the worker that the hub hands its work to, if one is attached."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.interruptions = Interruptions()
        self.attached: Worker | None = None

    @property
    def worker(self) -> Worker:
        """The attached worker. WorkerDied if there is none."""
        if self.attached is None:
            raise WorkerDied
        return self.attached


def redelivery_s(loss: WorkerDied | asyncio.CancelledError, hidden_s: float, held_s: float = 0.0) -> float:
    """Simulated seconds until work lost by `loss` is handed out again.

    The message stays hidden for `hidden_s` seconds after its last renewal by the worker, which held it for `held_s`.
    """
    if isinstance(loss, WorkerDied) and loss.after_s is not None:
        return loss.after_s
    renewal_s = min(max(hidden_s - _RENEWED_BEFORE_S, _MIN_RENEWAL_S), _MAX_RENEWAL_S)
    return hidden_s - held_s % renewal_s
