"""A durable engine that notes what the app's orchestrations do and when, whichever engine runs them.

Decides what is noted: when an orchestration begins, how long it waits for the answer of an entity, when an activity
runs, and when an entity has received a hint. Does not change a call.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable import Worker
from simulator.engine.contract import DurableNames, Engine

_HINT = "hint"


@dataclass(frozen=True)
class Begun:
    """The first turn of an orchestration: its time, and the input as JSON text."""

    at_s: float
    payload: str


@dataclass(frozen=True)
class Answered:
    """A call of an entity: the calling instance, the operation, and the time from the call to the answer."""

    instance_id: str
    operation: str
    waited_s: float


@dataclass(frozen=True)
class Acted:
    """An activity: its name, its input as JSON text, when it began and ended."""

    name: str
    payload: str
    began_s: float
    ended_s: float


@dataclass(frozen=True)
class Hinted:
    """An operation `hint` of an entity: its input as JSON text, and when its batch ended."""

    payload: str
    at_s: float


class Notes:
    """What was noted: when each instance began, by id; the activities that ended; the calls that were answered; the
    hints that entities have received."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.begun: dict[str, Begun] = {}
        self.acted: list[Acted] = []
        self.answered: list[Answered] = []
        self.hinted: list[Hinted] = []


class WatchedEngine:
    """`engine`, with `notes` of what it hands to the app, in seconds of `clock`."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self.notes = Notes()

    @property
    def rpc_url(self) -> str:
        """The engine's address."""
        return self._engine.rpc_url

    @property
    def running(self) -> bool:
        """Whether the engine runs."""
        return self._engine.running

    async def start(self, stack: AsyncExitStack, names: DurableNames) -> None:
        """Start the engine."""
        await self._engine.start(stack, names)

    async def attach(self, stack: AsyncExitStack, worker: Worker) -> None:
        """Attach `worker` to the engine, with the notes between them."""
        await self._engine.attach(stack, _WatchedWorker(worker, self.notes, self._clock))

    async def entity_state(self, entity_id: str) -> Any:
        """The state of an entity."""
        return await self._engine.entity_state(entity_id)

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()


class _WatchedWorker:
    def __init__(self, worker: Worker, notes: Notes, clock: Clock) -> None:
        self._worker, self._notes, self._clock = worker, notes, clock
        self._calls: dict[str, tuple[str, str, float]] = {}

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        turn, now_s = pb.OrchestratorRequest.FromString(request), self._clock.time()
        for event in turn.newEvents:
            if event.HasField("executionStarted"):
                self._notes.begun.setdefault(turn.instanceId, Begun(now_s, event.executionStarted.input.value))
            called = self._calls.pop(event.eventRaised.name, None) if event.HasField("eventRaised") else None
            if called is not None:
                instance_id, operation, since_s = called
                self._notes.answered.append(Answered(instance_id, operation, now_s - since_s))
        response = await self._worker.orchestrate(name, request)
        for action in pb.OrchestratorResponse.FromString(response).actions:
            call = action.sendEntityMessage.entityOperationCalled
            if call.requestId:
                self._calls[call.requestId] = (turn.instanceId, call.operation, self._clock.time())
        return response

    async def operate(self, name: str, request: bytes) -> bytes:
        batch = pb.EntityBatchRequest.FromString(request)
        response = await self._worker.operate(name, request)
        hints = [one.input.value for one in batch.operations if one.operation == _HINT]
        self._notes.hinted += [Hinted(payload, self._clock.time()) for payload in hints]
        return response

    async def act(self, name: str, payload: str | None) -> str | None:
        began_s = self._clock.time()
        try:
            return await self._worker.act(name, payload)
        finally:
            self._notes.acted.append(Acted(name, payload or "", began_s, self._clock.time()))
