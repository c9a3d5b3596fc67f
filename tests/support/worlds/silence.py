"""A dispatcher that stops answering at a chosen operation, and answers again when it is let.

Decides that whatever is sent to it meanwhile waits and is done in order afterwards, as an entity's messages do.
"""

from __future__ import annotations

import asyncio

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable import Worker
from tests.support.worlds.local_azure import LocalAzure


class SilentDispatcher:
    """Stands between the hub and its worker; silent from the first batch with `operation` in it, `silent` says so."""

    def __init__(self, azure: LocalAzure, operation: str, *, data: str = "") -> None:
        """Begin to listen; only an operation whose input contains `data` counts."""
        self._operation, self._data = operation, data
        self._answers = asyncio.Event()
        self.silent = self._spent = False
        azure.hub.wrap_worker(self._stand_by)

    def _stand_by(self, worker: Worker) -> Worker:
        self._worker = worker
        self.orchestrate, self.act = worker.orchestrate, worker.act
        return self

    async def operate(self, name: str, request: bytes) -> bytes:
        """Run one batch, once the dispatcher answers."""
        batch = pb.EntityBatchRequest.FromString(request).operations
        if not self._spent and any(one.operation == self._operation and self._data in one.input.value for one in batch):
            self.silent = self._spent = True
        if self.silent:
            await self._answers.wait()
        return await self._worker.operate(name, request)

    def answer(self) -> None:
        """Let it answer again, for good."""
        self.silent = False
        self._answers.set()
