"""The durable hub: the object that a Functions host and tests use.

Decides which part of the hub receives a message. Leaves its handling to `orchestrations`, `entities` and `activities`,
and the gRPC server for the app's clients to `rpc`.

Everything runs on one event loop, so there are no locks. The hub outlives its worker: work under way continues when
another worker is attached, as storage outlives a Functions instance.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable.activities import Activities
from simulator.durable.entities import Entities
from simulator.durable.history import event, text
from simulator.durable.ids import Ids
from simulator.durable.limits import Limits
from simulator.durable.message_delivery import MessageDelivery
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
from simulator.durable.worker_slot import WorkerSlot


class DurableHub:
    """Instances, entities, timers and the queues between them.

    `trace` lists which work was handed out and when. Tests set `interruptions` to make a worker die. With a `seed` the
    ids of instances that are started without one are the same in every run.
    """

    def __init__(self, clock: Clock, limits: Limits | None = None, seed: int | None = None) -> None:
        self.clock = clock
        self.limits = limits or Limits()
        self.trace = Trace(clock)
        self.ids = Ids(seed)
        self._slot = WorkerSlot(self.trace)
        self._delivery = MessageDelivery(clock, self._arrive)
        self.orchestrations = Orchestrations(clock, self._slot, self._delivery, self.limits)
        self.entities = Entities(clock, self._slot, self._delivery, self.ids, self.limits)
        self._activities = Activities(clock, self._slot, self._delivery, self.limits)
        self._queues = (self.orchestrations.queue, self.entities.queue, self._activities.queue)

    @property
    def interruptions(self) -> Interruptions:
        """The moments at which a test may make a worker die."""
        return self._slot.interruptions

    @interruptions.setter
    def interruptions(self, interruptions: Interruptions) -> None:
        self._slot.interruptions = interruptions

    # --- used by the host ---------------------------------------------------------------------------------------

    def attach(self, worker: Worker) -> None:
        """Start to hand work to `worker`. RuntimeError if another one is attached."""
        if self._slot.attached is not None:
            raise RuntimeError("the hub already has a worker")
        self._slot.attached = worker
        for queue in self._queues:
            queue.open()

    def wrap_worker(self, wrap: Callable[[Worker], Worker]) -> None:
        """Replace the worker by `wrap(worker)`, which receives every call from now on."""
        self._slot.attached = wrap(self._slot.worker)

    async def detach(self) -> None:
        """Detach the worker. Work it holds is lost; the next worker gets it once it is visible again."""
        await asyncio.gather(*(queue.close() for queue in self._queues))
        self._slot.attached = None

    async def lose_storage(self) -> None:
        """Lose everything, work under way too, as when the task hub's storage is deleted. The worker stays attached."""
        worker = self._slot.attached
        await self.detach()
        self._delivery.close()
        for queue in self._queues:
            queue.clear()
        self.orchestrations.clear()
        self.entities.clear()
        if worker is not None:
            self.attach(worker)

    def close(self) -> None:
        """Stop all timers: nothing more is delivered."""
        self._delivery.close()

    # --- used by clients ----------------------------------------------------------------------------------------

    def start(self, name: str, payload: Any = None, instance_id: str | None = None) -> str:
        """Start orchestration `name` with a JSON value; returns the instance id.

        A running instance with that id stays as it is; one that ended is replaced.
        """
        instance_id = instance_id or self.ids.of_start(name)
        self.orchestrations.start(StartOrchestration(instance_id, name, _json(payload)))
        return instance_id

    def signal(self, entity_id: str, operation: str, payload: Any = None) -> None:
        """Signal entity `@name@key`; the name is compared in lower case."""
        self._delivery.send([Operate(canonical_entity_id(entity_id), str(uuid.uuid4()), operation, _json(payload))])

    def raise_event(self, instance_id: str, name: str, payload: str | None) -> None:
        """Raise an external event with JSON text."""
        raised = pb.EventRaisedEvent(name=name, input=text(payload))
        self._deliver(instance_id, event(self.clock.now(), eventRaised=raised))

    def terminate(self, instance_id: str, reason: str | None = None) -> None:
        """End an orchestration at its next turn, without running its code. `reason` (JSON text) becomes the output."""
        terminated = pb.ExecutionTerminatedEvent(input=text(reason))
        self._deliver(instance_id, event(self.clock.now(), executionTerminated=terminated))

    def suspend(self, instance_id: str, reason: str | None = None) -> None:
        """Suspend an orchestration: it receives events but its code does not run."""
        suspended = pb.ExecutionSuspendedEvent(input=text(reason))
        self._deliver(instance_id, event(self.clock.now(), executionSuspended=suspended))

    def resume(self, instance_id: str, reason: str | None = None) -> None:
        """Resume a suspended orchestration."""
        resumed = pb.ExecutionResumedEvent(input=text(reason))
        self._deliver(instance_id, event(self.clock.now(), executionResumed=resumed))

    def send(self, message: Message) -> None:
        """Send a message as if an orchestration had sent it."""
        self._delivery.send([message])

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
        """The JSON value of an entity's state; None if it has none."""
        entity = self.entities.entities.get(canonical_entity_id(entity_id))
        return None if entity is None or entity.state is None else json.loads(entity.state)

    # --- internal -----------------------------------------------------------------------------------------------

    def _deliver(self, instance_id: str, happened: pb.HistoryEvent) -> None:
        self._delivery.send([Deliver(Address(instance_id), happened)])

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
    """`@Name@key` with the name in lower case, as Durable writes it. ValueError for anything else."""
    parts = entity_id.split("@")
    if len(parts) != 3 or parts[0] or not parts[1] or not parts[2]:
        raise ValueError(f"an entity id is '@name@key', not {entity_id!r}")
    return f"@{parts[1].lower()}@{parts[2]}"


def _json(payload: Any) -> str | None:
    return None if payload is None else json.dumps(payload)
