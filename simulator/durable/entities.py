"""Entities: one batch of operations at a time for each, state and actions kept together.

Decides when an entity is called and what of its answer is kept. Does not know how a function is run.

A batch is at least once: operations stay with the hub until the state is saved. What a batch sends is sent before the
state is saved, so a worker that dies between the two makes the second run send it once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable.entity_batches import ask, messages_of, next_batch, sorted_out
from simulator.durable.entity_messages import granted
from simulator.durable.history import optional
from simulator.durable.ids import Ids
from simulator.durable.limited_queue import Lane
from simulator.durable.message_delivery import Post
from simulator.durable.records import Deliver, Entity, LockEntities, Message, Operate, ReleaseEntity
from simulator.durable.worker import WorkerDied
from simulator.durable.worker_slot import Desk, redelivery_s


class Entities:
    """Every entity of the hub, by id.

    `batch` is the most operations in one call; `sorts` says whether the message sorter works (`entity_batches`).
    """

    def __init__(
        self, clock: Clock, desk: Desk, post: Post, ids: Ids, *, limit: int, batch: int, hidden_s: float, sorts: bool
    ) -> None:
        self._clock = clock
        self._desk = desk
        self._post = post
        self._ids = ids
        self._batch, self._hidden_s, self._sorts = batch, hidden_s, sorts
        self._entities: dict[str, Entity] = {}
        self.lane: Lane[Entity] = Lane(limit, self._turn)

    @property
    def entities(self) -> Mapping[str, Entity]:
        """The entities by id, those without a state too."""
        return self._entities

    def deliver(self, message: Operate | LockEntities | ReleaseEntity) -> None:
        """Queue an operation or a lock, or release one; the entity comes into being if it must."""
        entity = self._entities.setdefault(message.entity_id, Entity(message.entity_id, self._clock.now()))
        if isinstance(message, ReleaseEntity):
            if entity.locked_by == message.holder:
                entity.locked_by = None
        elif self._sorts and sorted_out(entity, message):
            return
        else:
            entity.inbox.insert(_place(entity, message), message)
        self._schedule(entity)

    def purge(self, entity_id: str) -> bool:
        """Forget an entity, whatever it does. False if there is none."""
        return self._entities.pop(entity_id, None) is not None

    def forget(self) -> None:
        """Forget every entity."""
        self._entities.clear()

    def forget_empty(self) -> int:
        """Forget entities without a state and without work; how many they were."""
        empty = [key for key, entity in self._entities.items() if entity.state is None and entity.turn == "idle"]
        for key in empty:
            del self._entities[key]
        return len(empty)

    def _schedule(self, entity: Entity) -> None:
        if entity.turn == "idle" and entity.inbox and _may_take(entity):
            entity.turn = "queued"
            self._desk.trace.note("entity", entity.name, entity.id, "scheduled")
            self.lane.put(entity)

    async def _turn(self, entity: Entity) -> None:
        entity.turn = "running"
        batch, lock = next_batch(entity, self._batch)
        self._desk.trace.note("entity", entity.name, entity.id, "dispatched")
        result = pb.EntityBatchResult()
        messages: list[Message] = []
        try:
            if batch:
                names = [one.operation for one in batch]
                self._desk.interruptions.before_entity_batch(entity.id, names, entity.attempt)
                result = await ask(entity, batch, self._desk.worker)
                messages = messages_of(entity, batch, result, self._ids, self._clock.now())
                self._interrupt(entity, batch, messages)
        except (WorkerDied, asyncio.CancelledError) as death:
            self._give_back(entity, [*batch, *([lock] if lock else [])], redelivery_s(death, self._hidden_s))
            if isinstance(death, asyncio.CancelledError):
                raise
            return
        self._keep(entity, batch, result, lock, messages)

    def _keep(
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
        entity.turn = "idle"
        self._desk.trace.note("entity", entity.name, entity.id, "completed")
        self._post.send(messages)
        self._schedule(entity)

    def _after(self, lock: LockEntities) -> Message:
        if lock.position + 1 < len(lock.lock_set):
            return replace(lock, position=lock.position + 1)
        return Deliver(lock.caller, granted(lock, self._clock.now()), answers=lock.request_id)

    def _interrupt(self, entity: Entity, batch: list[Operate], messages: list[Message]) -> None:
        names = [one.operation for one in batch]
        try:
            self._desk.interruptions.after_entity_batch(entity.id, names, entity.attempt)
        except WorkerDied as death:
            if death.sent:
                self._post.send(messages)
            raise

    def _give_back(self, entity: Entity, work: list[Operate | LockEntities], after_s: float) -> None:
        self._desk.trace.note("entity", entity.name, entity.id, "lost")
        entity.inbox.extendleft(reversed(work))
        entity.attempt += 1

        def again() -> None:
            entity.turn = "idle"
            self._schedule(entity)

        self._post.later(after_s, again)


def _sender(message: Operate | LockEntities) -> str | None:
    return None if message.caller is None else message.caller.instance_id


def _place(entity: Entity, message: Operate | LockEntities) -> int:
    # What the holder of the lock sends goes before everything else, in its own order.
    if entity.locked_by is None or _sender(message) != entity.locked_by:
        return len(entity.inbox)
    return sum(_sender(other) == entity.locked_by for other in entity.inbox)


def _may_take(entity: Entity) -> bool:
    return entity.locked_by is None or _sender(entity.inbox[0]) == entity.locked_by
