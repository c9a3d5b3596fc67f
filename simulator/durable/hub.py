"""The durable hub as a whole: the one object that a Functions host and tests talk to.

Decides what a message reaches. Does not know what happens there: orchestrations, entities and activities are modules of
their own, and the gRPC face for the app's clients is `simulator.durable.rpc`.

Everything happens on one event loop, so nothing is locked. The hub outlives its worker: detach one and attach another
and work under way goes on, as storage outlives a Functions instance.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable.activities import Activities
from simulator.durable.entities import Entities
from simulator.durable.history import event, text
from simulator.durable.ids import Ids
from simulator.durable.message_delivery import Post
from simulator.durable.orchestrations import Orchestrations
from simulator.durable.records import (
    Address,
    Deliver,
    Instance,
    LockEntities,
    Message,
    Operate,
    ReleaseEntity,
    RunActivity,
    StartOrchestration,
)
from simulator.durable.trace import Trace
from simulator.durable.worker import Interruptions, Worker
from simulator.durable.worker_slot import REDELIVERY_S, Desk


@dataclass(frozen=True)
class Limits:
    """How much of each kind runs at once (host.json `extensions.durableTask`), defaults as on one processor.

    `work_item_hidden_s` and `control_hidden_s` are how long the message of an activity, and of a turn or an entity's
    batch, stays hidden from other workers. `sorts_calls`: the entities' message sorter works.
    https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json
    """

    activities: int = 10
    orchestrators: int = 10
    entities: int = 10
    entity_batch: int = 5000
    work_item_hidden_s: float = REDELIVERY_S
    control_hidden_s: float = REDELIVERY_S
    sorts_calls: bool = True


class DurableHub:
    """Instances, entities, timers and the queues between them.

    `trace` says what was handed out and when. `interruptions` is where tests make a worker die. With a `seed` the ids
    of instances that are started without one are the same in every run.
    """

    def __init__(self, clock: Clock, limits: Limits | None = None, seed: int | None = None) -> None:
        self.clock = clock
        self.limits = limits or Limits()
        self.trace = Trace(clock)
        self.ids = Ids(seed)
        self._desk = Desk(self.trace)
        self._post = Post(clock, self._arrive)
        held_s = self.limits.control_hidden_s
        self.orchestrations = Orchestrations(
            clock, self._desk, self._post, limit=self.limits.orchestrators, hidden_s=held_s
        )
        self.entities = Entities(
            clock,
            self._desk,
            self._post,
            self.ids,
            limit=self.limits.entities,
            batch=self.limits.entity_batch,
            hidden_s=held_s,
            sorts=self.limits.sorts_calls,
        )
        self._activities = Activities(
            clock, self._desk, self._post, limit=self.limits.activities, hidden_s=self.limits.work_item_hidden_s
        )

    @property
    def interruptions(self) -> Interruptions:
        """Where a test may make a worker die."""
        return self._desk.interruptions

    @interruptions.setter
    def interruptions(self, interruptions: Interruptions) -> None:
        self._desk.interruptions = interruptions

    # --- the worker's side -------------------------------------------------------------------------------------

    def attach(self, worker: Worker) -> None:
        """Begin to hand work to `worker`. RuntimeError if another one is attached."""
        if self._desk.attached is not None:
            raise RuntimeError("the hub already has a worker")
        self._desk.attached = worker
        for lane in (self.orchestrations.lane, self.entities.lane, self._activities.lane):
            lane.open()

    def witness(self, wrap: Callable[[Worker], Worker]) -> None:
        """Put what `wrap` makes of the worker between it and the hub, where it sees every call."""
        self._desk.attached = wrap(self._desk.worker)

    async def detach(self) -> None:
        """Take the worker away: what it holds is lost and handed out again once it is visible, to the next worker."""
        lanes = (self.orchestrations.lane, self.entities.lane, self._activities.lane)
        await asyncio.gather(*(lane.close() for lane in lanes))
        self._desk.attached = None

    async def forget(self) -> None:
        """Lose everything at once, work under way too, as when the task hub's storage is gone; the worker stays."""
        worker = self._desk.attached
        await self.detach()
        self._post.close()
        for lane in (self.orchestrations.lane, self.entities.lane, self._activities.lane):
            lane.clear()
        self.orchestrations.forget()
        self.entities.forget()
        if worker is not None:
            self.attach(worker)

    def close(self) -> None:
        """Stop all timers: nothing is delivered any more."""
        self._post.close()

    # --- the client's side -------------------------------------------------------------------------------------

    def start(self, name: str, payload: Any = None, instance_id: str | None = None) -> str:
        """Start orchestration `name` with a JSON value; the instance id.

        An id that runs is left alone, one that ended is replaced.
        """
        instance_id = instance_id or self.ids.of_start(name)
        self.orchestrations.start(StartOrchestration(instance_id, name, _json(payload)))
        return instance_id

    def signal(self, entity_id: str, operation: str, payload: Any = None) -> None:
        """Signal entity `@name@key`; name compared in lower case."""
        self._post.send([Operate(canonical_entity_id(entity_id), str(uuid.uuid4()), operation, _json(payload))])

    def raise_event(self, instance_id: str, name: str, payload: str | None) -> None:
        """Raise an external event with JSON text."""
        raised = pb.EventRaisedEvent(name=name, input=text(payload))
        self._deliver(instance_id, event(self.clock.now(), eventRaised=raised))

    def terminate(self, instance_id: str, reason: str | None = None) -> None:
        """End an orchestration at its next turn, without its code. `reason` is JSON text, kept as the output."""
        terminated = pb.ExecutionTerminatedEvent(input=text(reason))
        self._deliver(instance_id, event(self.clock.now(), executionTerminated=terminated))

    def suspend(self, instance_id: str, reason: str | None = None) -> None:
        """Let an orchestration receive but not run."""
        suspended = pb.ExecutionSuspendedEvent(input=text(reason))
        self._deliver(instance_id, event(self.clock.now(), executionSuspended=suspended))

    def resume(self, instance_id: str, reason: str | None = None) -> None:
        """Let a suspended orchestration run again."""
        resumed = pb.ExecutionResumedEvent(input=text(reason))
        self._deliver(instance_id, event(self.clock.now(), executionResumed=resumed))

    def send(self, message: Message) -> None:
        """Send a message as if an orchestration had sent it."""
        self._post.send([message])

    async def completed(self, instance_id: str) -> Instance:
        """Wait until an instance has ended. KeyError if there is none."""
        instance = await self.orchestrations.watch(instance_id, lambda watched: watched.ended)
        if instance is None:
            raise KeyError(instance_id)
        return instance

    def output(self, instance_id: str) -> Any:
        """The JSON value an ended instance returned; None if it returned nothing. KeyError if there is none."""
        output = self.orchestrations.instances[instance_id].output
        return None if output is None else json.loads(output)

    def entity_state(self, entity_id: str) -> Any:
        """The JSON value an entity keeps; None if it keeps nothing."""
        entity = self.entities.entities.get(canonical_entity_id(entity_id))
        return None if entity is None or entity.state is None else json.loads(entity.state)

    # --- between them ------------------------------------------------------------------------------------------

    def _deliver(self, instance_id: str, happened: pb.HistoryEvent) -> None:
        self._post.send([Deliver(Address(instance_id), happened)])

    def _arrive(self, message: Message) -> None:
        match message:
            case Deliver():
                self.orchestrations.deliver(message)
            case RunActivity():
                self._activities.schedule(message)
            case Operate() | LockEntities() | ReleaseEntity():
                self.entities.deliver(message)
            case StartOrchestration():
                self.orchestrations.replace(message)


def canonical_entity_id(entity_id: str) -> str:
    """`@Name@key` with the name in lower case, as Durable spells it. ValueError for anything else."""
    parts = entity_id.split("@")
    if len(parts) != 3 or parts[0] or not parts[1] or not parts[2]:
        raise ValueError(f"an entity id is '@name@key', not {entity_id!r}")
    return f"@{parts[1].lower()}@{parts[2]}"


def _json(payload: Any) -> str | None:
    return None if payload is None else json.dumps(payload)
