"""A dispatcher that stops answering at a selected operation until the test resumes it.

Decides that messages to it wait meanwhile and are handled in order afterwards, as those of an entity do.
"""

from __future__ import annotations

import asyncio

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable import Worker
from tests.support.worlds.local_azure import LocalAzure


class SilentDispatcher:
    """Wraps the hub's worker; `silent` is True from the first batch with `operation` on, until `answer`."""

    def __init__(self, azure: LocalAzure, operation: str, *, data: str = "") -> None:
        """Wrap the worker; only an operation whose input contains `data` counts."""
        self._operation, self._data = operation, data
        self._answers = asyncio.Event()
        self.silent = self._spent = False
        azure.hub.wrap_worker(self._wrap)

    def _wrap(self, worker: Worker) -> Worker:
        self._worker = worker
        self.orchestrate, self.act = worker.orchestrate, worker.act
        return self

    async def operate(self, name: str, request: bytes) -> bytes:
        """Run one batch; wait while the dispatcher is silent."""
        batch = pb.EntityBatchRequest.FromString(request).operations
        if not self._spent and any(one.operation == self._operation and self._data in one.input.value for one in batch):
            self.silent = self._spent = True
        if self.silent:
            await self._answers.wait()
        return await self._worker.operate(name, request)

    def answer(self) -> None:
        """Let the dispatcher answer again, permanently."""
        self.silent = False
        self._answers.set()
