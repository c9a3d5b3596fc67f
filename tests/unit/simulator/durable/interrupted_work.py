"""Interruptions that end a worker once or deliver work twice, and counts of what was delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import override

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable import Interruptions, Worker, WorkerDied
from tests.support.worlds.toy import Toy


class DieOnce(Interruptions):
    """Makes the worker die at the named moment, at the first delivery of each piece of work."""

    def __init__(self, moment: str, crash: Callable[[], WorkerDied] = WorkerDied) -> None:
        self._moment = moment
        self._crash = crash
        self.crashes = 0

    def _maybe(self, moment: str, attempt: int) -> None:
        if moment == self._moment and attempt == 1:
            self.crashes += 1
            raise self._crash()

    @override
    def before_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        self._maybe("before_orchestrator_turn", attempt)

    @override
    def before_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        self._maybe("before_entity_batch", attempt)

    @override
    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._maybe("before_activity", attempt)

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._maybe("after_activity", attempt)

    @override
    def after_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        self._maybe("after_orchestrator_turn", attempt)

    @override
    def after_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        self._maybe("after_entity_batch", attempt)


class Turns:
    """Records the kinds of the new events of each turn."""

    def __init__(self, worker: Worker, seen: list[list[str]]) -> None:
        self._worker, self._seen = worker, seen
        self.operate, self.act = worker.operate, worker.act

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        turn = pb.OrchestratorRequest.FromString(request)
        self._seen.append([event.WhichOneof("eventType") for event in turn.newEvents])
        return await self._worker.orchestrate(name, request)


def dispatches(toy: Toy, kind: str) -> int:
    """The number of times work of a kind was handed out."""
    return sum(entry.kind == kind and entry.what == "dispatched" for entry in toy.hub.trace)


class HandOutTwice(Interruptions):
    """Every activity is handed out again, `after_s` seconds after the first time."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s

    @override
    def second_delivery_s(self, name: str, instance_id: str, task_id: int) -> float | None:
        return self._after_s
