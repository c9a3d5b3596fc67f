"""A worker in which selected parts hang, as in a stuck process.

Decides how activities, entity operations, orchestrations and durable timers hang.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable import Worker


class Hanging:
    """A worker whose `parts` hang: names of activities, entity operations or orchestrations, `activities`, `timers`."""

    def __init__(self, worker: Worker, parts: Collection[str]) -> None:
        self.inner, self._parts = worker, parts

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        """Run one turn, unless this orchestration hangs; without the fired timers when timers hang."""
        if name in self._parts:
            await _for_ever()
        turn = pb.OrchestratorRequest.FromString(request)
        if "timers" in self._parts:
            for events in (turn.pastEvents, turn.newEvents):
                kept = [one for one in events if not one.HasField("timerFired")]
                del events[:]
                events.extend(kept)
        return await self.inner.orchestrate(name, turn.SerializeToString())

    async def operate(self, name: str, request: bytes) -> bytes:
        """Run one batch, unless one of its operations hangs."""
        if any(one.operation in self._parts for one in pb.EntityBatchRequest.FromString(request).operations):
            await _for_ever()
        return await self.inner.operate(name, request)

    async def act(self, name: str, payload: str | None) -> str | None:
        """Run one activity, unless it hangs."""
        if name in self._parts or "activities" in self._parts:
            await _for_ever()
        return await self.inner.act(name, payload)


async def _for_ever() -> None:
    await asyncio.Event().wait()


def hanging(*parts: str) -> Callable[[Worker], Worker]:
    """A worker in which `parts` hang."""
    return lambda worker: Hanging(worker, parts)
