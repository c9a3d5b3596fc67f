"""The real engine with planned failures of activities: an exception, or a crash of the process.

Decides which call fails and how. Does not know how the app reacts.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import override

from simulator.durable import FunctionFailed, Worker, WorkerDied
from simulator.engine.azure_storage import AzureStorageEngine


@dataclass
class ActivityFailure:
    """Activity `name` fails where its input has the text `part`, `times` times; `crashes`: the process ends in it."""

    name: str
    part: str
    times: int
    crashes: bool = False

    def apply(self, name: str, payload: str | None) -> None:
        """Raise FunctionFailed or WorkerDied while failures are left."""
        if name != self.name or self.times == 0 or f'"{self.part}"' not in _subject_of(payload):
            return
        self.times -= 1
        if self.crashes:
            raise WorkerDied()
        raise FunctionFailed("RuntimeError", f"{name} broke on {self.part.rsplit('/', 1)[-1]}", "Traceback: nowhere")


def _subject_of(payload: str | None) -> str:
    """The input without `disks`: each step of a swap has both of its disks there, whichever it is about."""
    data = json.loads(payload or "null")
    return json.dumps({key: value for key, value in data.items() if key != "disks"} if isinstance(data, dict) else data)


class _FailingWorker:
    def __init__(self, worker: Worker, failures: list[ActivityFailure]) -> None:
        self._worker, self._failures = worker, failures

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        return await self._worker.orchestrate(name, request)

    async def operate(self, name: str, request: bytes) -> bytes:
        return await self._worker.operate(name, request)

    async def act(self, name: str, payload: str | None) -> str | None:
        for failure in self._failures:
            failure.apply(name, json.dumps(json.loads(payload or "null")))
        return await self._worker.act(name, payload)


class FailingEngine(AzureStorageEngine):
    """The engine; its calls reach the app's worker, except those that `failures` let fail."""

    failures: tuple[ActivityFailure, ...] = ()

    @override
    async def attach(self, stack: AsyncExitStack, worker: Worker) -> None:
        await super().attach(stack, _FailingWorker(worker, list(self.failures)))
