"""Wraps the app's worker of an engine: records the requests to the worker, and can block an entity's batches.

Decides which requests are recorded. Does not know which engine runs.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable import Worker
from simulator.engine.contract import DurableNames, Engine


class Watched:
    """An engine whose worker is recorded: `turns` and `batches` by instance id, in order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._gates: dict[str, asyncio.Event] = {}
        self.turns: dict[str, list[pb.OrchestratorRequest]] = defaultdict(list)
        self.batches: dict[str, list[pb.EntityBatchRequest]] = defaultdict(list)

    def hold(self, entity_id: str) -> None:
        """Block the entity's next batches until `let_go`."""
        self._gates[entity_id] = asyncio.Event()

    def let_go(self, entity_id: str) -> None:
        """Unblock the entity's batches."""
        self._gates.pop(entity_id).set()

    async def passed(self, entity_id: str) -> None:
        """Wait while the entity's batches are blocked."""
        if gate := self._gates.get(entity_id):
            await gate.wait()

    @property
    def rpc_url(self) -> str:
        return self._engine.rpc_url

    @property
    def running(self) -> bool:
        return self._engine.running

    async def start(self, stack: AsyncExitStack, names: DurableNames) -> None:
        await self._engine.start(stack, names)

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
        await self._watched.passed(batch.instanceId)
        return await self._worker.operate(name, request)

    async def act(self, name: str, payload: str | None) -> str | None:
        return await self._worker.act(name, payload)
