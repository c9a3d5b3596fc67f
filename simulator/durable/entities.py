"""Runs entities: one batch of operations at a time for each entity.

Decides when an entity is called and which part of its result is stored. Does not know how a function is run.

A batch runs at least once: its operations stay with the hub until the state is saved. Messages of a batch are sent
before the state is saved, so if the worker dies in between, the second run sends them again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable.entity_batches import dropped_by_sorter, messages_of, next_batch, run_batch
from simulator.durable.entity_messages import locks_granted
from simulator.durable.history import optional
from simulator.durable.ids import Ids
from simulator.durable.limited_queue import LimitedQueue
from simulator.durable.limits import Limits
from simulator.durable.message_delivery import MessageDelivery
from simulator.durable.records import Deliver, Entity, LockEntities, Message, Operate, ReleaseEntity
from simulator.durable.worker import WorkerDied
from simulator.durable.worker_slot import WorkerSlot, redelivery_s


class Entities:
    """Every entity of the hub, by id. Operations for one entity run in batches of `limits.entity_batch` at most."""

    def __init__(self, clock: Clock, slot: WorkerSlot, delivery: MessageDelivery, ids: Ids, limits: Limits) -> None:
        self._clock = clock
        self._slot = slot
        self._delivery = delivery
        self._ids = ids
        self._limits = limits
        self._entities: dict[str, Entity] = {}
        self.queue: LimitedQueue[Entity] = LimitedQueue(limits.entities, self._run)

    @property
    def entities(self) -> Mapping[str, Entity]:
        """The entities by id, including those without a state."""
        return self._entities

    def deliver(self, message: Operate | LockEntities | ReleaseEntity) -> None:
        """Queue an operation or a lock, or release a lock. Creates the entity if it does not exist."""
        entity = self._entities.setdefault(message.entity_id, Entity(message.entity_id, self._clock.now()))
        if isinstance(message, ReleaseEntity):
            if entity.locked_by == message.holder:
                entity.locked_by = None
        elif self._limits.sorts_calls and dropped_by_sorter(entity, message):
            return
        else:
            entity.inbox.insert(_position(entity, message), message)
        self._schedule(entity)

    def purge(self, entity_id: str) -> bool:
        """Delete an entity, running or not. False if there is none."""
        return self._entities.pop(entity_id, None) is not None

    def clear(self) -> None:
        """Delete every entity."""
        self._entities.clear()

    def delete_empty(self) -> int:
        """Delete entities without a state and without work; returns their number."""
        empty = [key for key, entity in self._entities.items() if entity.state is None and entity.run_state == "idle"]
        for key in empty:
            del self._entities[key]
        return len(empty)

    def _schedule(self, entity: Entity) -> None:
        if entity.run_state == "idle" and entity.inbox and _may_take(entity):
            entity.run_state = "queued"
            self._slot.trace.note("entity", entity.name, entity.id, "scheduled")
            self.queue.put(entity)

    async def _run(self, entity: Entity) -> None:
        entity.run_state = "running"
        batch, lock = next_batch(entity, self._limits.entity_batch)
        self._slot.trace.note("entity", entity.name, entity.id, "dispatched")
        result = pb.EntityBatchResult()
        messages: list[Message] = []
        try:
            if batch:
                names = [one.operation for one in batch]
                self._slot.interruptions.before_entity_batch(entity.id, names, entity.attempt)
                result = await run_batch(entity, batch, self._slot.worker)
                messages = messages_of(entity, batch, result, self._ids, self._clock.now())
                self._interrupt(entity, batch, messages)
        except (WorkerDied, asyncio.CancelledError) as loss:
            lost: list[Operate | LockEntities] = [*batch, *([lock] if lock else [])]
            self._requeue(entity, lost, redelivery_s(loss, self._limits.control_hidden_s))
            if isinstance(loss, asyncio.CancelledError):
                raise
            return
        self._store(entity, batch, result, lock, messages)

    def _store(
        self,
        entity: Entity,
        batch: list[Operate],
        result: pb.EntityBatchResult,
        lock: LockEntities | None,
        messages: list[Message],
    ) -> None:
        if batch:
            entity.attempt = 1
            entity.state = optional(result, "entityState")
        if lock is not None:
            entity.locked_by = lock.caller.instance_id
            messages.append(self._after(lock))
        entity.updated_at = self._clock.now()
        entity.run_state = "idle"
        self._slot.trace.note("entity", entity.name, entity.id, "completed")
        self._delivery.send(messages)
        self._schedule(entity)

    def _after(self, lock: LockEntities) -> Message:
        if lock.position + 1 < len(lock.lock_set):
            return replace(lock, position=lock.position + 1)
        return Deliver(lock.caller, locks_granted(lock, self._clock.now()), answers=lock.request_id)

    def _interrupt(self, entity: Entity, batch: list[Operate], messages: list[Message]) -> None:
        names = [one.operation for one in batch]
        try:
            self._slot.interruptions.after_entity_batch(entity.id, names, entity.attempt)
        except WorkerDied as loss:
            if loss.sent:
                self._delivery.send(messages)
            raise

    def _requeue(self, entity: Entity, work: list[Operate | LockEntities], after_s: float) -> None:
        self._slot.trace.note("entity", entity.name, entity.id, "lost")
        entity.inbox.extendleft(reversed(work))
        entity.attempt += 1

        def again() -> None:
            entity.run_state = "idle"
            self._schedule(entity)

        self._delivery.later(after_s, again)


def _sender(message: Operate | LockEntities) -> str | None:
    return None if message.caller is None else message.caller.instance_id


def _position(entity: Entity, message: Operate | LockEntities) -> int:
    # Messages of the lock's holder go before all others, in the order they were sent.
    if entity.locked_by is None or _sender(message) != entity.locked_by:
        return len(entity.inbox)
    return sum(_sender(other) == entity.locked_by for other in entity.inbox)


def _may_take(entity: Entity) -> bool:
    return entity.locked_by is None or _sender(entity.inbox[0]) == entity.locked_by
