"""What every room of the hub needs to hand work to a worker: the worker, the trace, the interruptions, the patience.

Decides how long lost work stays invisible. Refuses to know what the work is.
"""

from __future__ import annotations

import asyncio

from simulator.durable.trace import Trace
from simulator.durable.worker import Interruptions, Worker, WorkerDied

# How long the Azure Storage provider hides a message from other workers, unless host.json says otherwise.
# https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json
REDELIVERY_S = 300.0


class Desk:
    """The counter between the hub and its worker."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.interruptions = Interruptions()
        self.after_s = REDELIVERY_S
        self.attached: Worker | None = None

    @property
    def worker(self) -> Worker:
        """The worker; WorkerDied if there is none just now."""
        if self.attached is None:
            raise WorkerDied
        return self.attached

    def redelivery_s(self, death: WorkerDied | asyncio.CancelledError) -> float:
        """Simulated seconds until work lost by `death` is handed out again."""
        if isinstance(death, WorkerDied) and death.after_s is not None:
            return death.after_s
        return self.after_s
