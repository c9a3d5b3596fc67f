"""Between an engine and the app's worker: keeps what the worker was given.

Decides what of a turn is kept. Changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable import Worker
from simulator.engine.contract import Engine
from simulator.functions.indexing import IndexedFunction


class Watched:
    """An engine whose worker is watched; `turns`, `batches` by instance id, `acts` in order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.turns: dict[str, list[pb.OrchestratorRequest]] = defaultdict(list)
        self.batches: dict[str, list[pb.EntityBatchRequest]] = defaultdict(list)
        self.answers: dict[str, list[pb.EntityBatchResult]] = defaultdict(list)
        self.acts: list[tuple[str, str | None]] = []

    @property
    def rpc_url(self) -> str:
        return self._engine.rpc_url

    @property
    def running(self) -> bool:
        return self._engine.running

    async def start(self, stack: AsyncExitStack, functions: Sequence[IndexedFunction]) -> None:
        await self._engine.start(stack, functions)

    async def attach(self, stack: AsyncExitStack, worker: Worker) -> None:
        await self._engine.attach(stack, _Watching(worker, self))

    async def entity_state(self, entity_id: str) -> Any:
        return await self._engine.entity_state(entity_id)

    async def close(self) -> None:
        await self._engine.close()


class _Watching:
    def __init__(self, worker: Worker, watched: Watched) -> None:
        self._worker, self._watched = worker, watched

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        turn = pb.OrchestratorRequest.FromString(request)
        self._watched.turns[turn.instanceId].append(turn)
        return await self._worker.orchestrate(name, request)

    async def operate(self, name: str, request: bytes) -> bytes:
        batch = pb.EntityBatchRequest.FromString(request)
        self._watched.batches[batch.instanceId].append(batch)
        answer = await self._worker.operate(name, request)
        self._watched.answers[batch.instanceId].append(pb.EntityBatchResult.FromString(answer))
        return answer

    async def act(self, name: str, payload: str | None) -> str | None:
        self._watched.acts.append((name, payload))
        return await self._worker.act(name, payload)
