"""The real engine with a worker that fails in chosen activities, by its own fault or by dying in them.

Decides which call fails and how. Does not know what the app makes of it.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import override

from simulator.durable import FunctionFailed, Worker, WorkerDied
from simulator.engine.azure_storage import AzureStorageEngine


@dataclass
class Mishap:
    """Activity `name` fails where its input names `word`, `times` times; `dies`: the process ends in it."""

    name: str
    word: str
    times: int
    dies: bool = False

    def befall(self, name: str, payload: str | None) -> None:
        """FunctionFailed or WorkerDied, as long as it is due."""
        if name != self.name or self.times == 0 or f'"{self.word}"' not in (payload or ""):
            return
        self.times -= 1
        if self.dies:
            raise WorkerDied()
        raise FunctionFailed("RuntimeError", f"{name} broke on {self.word.rsplit('/', 1)[-1]}", "Traceback: nowhere")


class _UnluckyWorker:
    def __init__(self, worker: Worker, mishaps: list[Mishap]) -> None:
        self._worker, self._mishaps = worker, mishaps

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        return await self._worker.orchestrate(name, request)

    async def operate(self, name: str, request: bytes) -> bytes:
        return await self._worker.operate(name, request)

    async def act(self, name: str, payload: str | None) -> str | None:
        for mishap in self._mishaps:
            mishap.befall(name, json.dumps(json.loads(payload or "null")))
        return await self._worker.act(name, payload)


class UnluckyEngine(AzureStorageEngine):
    """The engine, whose calls reach the app's worker unless one of `mishaps` befalls them."""

    mishaps: tuple[Mishap, ...] = ()

    @override
    async def attach(self, stack: AsyncExitStack, worker: Worker) -> None:
        await super().attach(stack, _UnluckyWorker(worker, list(self.mishaps)))
