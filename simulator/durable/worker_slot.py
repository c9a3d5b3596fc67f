"""What every part of the hub needs to hand work to a worker: the worker, the trace, the interruptions, the patience.

Decides how long lost work stays invisible. Does not know what the work is.
"""

from __future__ import annotations

import asyncio

from simulator.durable.trace import Trace
from simulator.durable.worker import Interruptions, Worker, WorkerDied

# How long the Azure Storage provider hides a message from other workers, unless host.json says otherwise.
# https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json
REDELIVERY_S = 300.0
# While a worker holds a message it hides it anew half a minute before it would be seen, at least and at most so often.
# https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/TaskActivityDispatcher.cs
_RENEWED_BEFORE_S, _LEAST_RENEWAL_S, _MOST_RENEWAL_S = 30.0, 5.0, 30.0


class Desk:
    """The counter between the hub and its worker."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.interruptions = Interruptions()
        self.attached: Worker | None = None

    @property
    def worker(self) -> Worker:
        """The worker; WorkerDied if there is none just now."""
        if self.attached is None:
            raise WorkerDied
        return self.attached


def redelivery_s(death: WorkerDied | asyncio.CancelledError, hidden_s: float, held_s: float = 0.0) -> float:
    """Simulated seconds until work lost by `death` is handed out again.

    Its message is hidden for `hidden_s` seconds from the last time that the worker renewed it, in `held_s` seconds.
    """
    if isinstance(death, WorkerDied) and death.after_s is not None:
        return death.after_s
    renewal_s = min(max(hidden_s - _RENEWED_BEFORE_S, _LEAST_RENEWAL_S), _MOST_RENEWAL_S)
    return hidden_s - held_s % renewal_s
