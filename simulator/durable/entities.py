"""Entities: one batch of operations at a time for each, state and actions kept together.

Decides when an entity is called and what of its answer is kept. Refuses to know how a function is run.

A batch is at least once: operations stay with the hub until the state is saved. What a batch sends is sent before the
state is saved, so a worker that dies between the two makes the second run send it once more.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable.desk import Desk
from simulator.durable.history import event, failure_details, optional, optional_date, text
from simulator.durable.ids import Ids
from simulator.durable.lane import Lane
from simulator.durable.post import Post
from simulator.durable.records import Deliver, Entity, Message, Operate, StartOrchestration
from simulator.durable.worker import FunctionFailed, WorkerDied


class Entities:
    """Every entity of the hub, by id."""

    def __init__(self, clock: Clock, desk: Desk, post: Post, ids: Ids, *, limit: int, batch: int) -> None:
        self._clock = clock
        self._desk = desk
        self._post = post
        self._ids = ids
        self._batch = batch
        self._entities: dict[str, Entity] = {}
        self.lane: Lane[Entity] = Lane(limit, self._turn)

    @property
    def entities(self) -> Mapping[str, Entity]:
        """The entities by id, those without a state too."""
        return self._entities

    def deliver(self, operation: Operate) -> None:
        """Queue an operation; the entity comes into being if it must."""
        entity = self._entities.setdefault(operation.entity_id, Entity(operation.entity_id, self._clock.now()))
        entity.inbox.append(operation)
        self._schedule(entity)

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
        if entity.turn == "idle" and entity.inbox:
            entity.turn = "queued"
            self._desk.trace.note("entity", entity.name, entity.id, "scheduled")
            self.lane.put(entity)

    async def _turn(self, entity: Entity) -> None:
        entity.turn = "running"
        batch = [entity.inbox.popleft() for _ in range(min(self._batch, len(entity.inbox)))]
        self._desk.trace.note("entity", entity.name, entity.id, "dispatched")
        try:
            names = [one.operation for one in batch]
            self._desk.interruptions.before_entity_batch(entity.id, names, entity.attempt)
            result = await self._ask(entity, batch)
            messages = self._messages(batch, result)
            self._interrupt(entity, batch, messages)
        except (WorkerDied, asyncio.CancelledError) as death:
            self._give_back(entity, batch, self._desk.redelivery_s(death))
            if isinstance(death, asyncio.CancelledError):
                raise
            return
        entity.attempt = 1
        entity.state = optional(result, "entityState")
        entity.updated_at = self._clock.now()
        entity.turn = "idle"
        self._desk.trace.note("entity", entity.name, entity.id, "completed")
        self._post.send(messages)
        self._schedule(entity)

    async def _ask(self, entity: Entity, batch: list[Operate]) -> pb.EntityBatchResult:
        operations = [
            pb.OperationRequest(operation=one.operation, requestId=one.request_id, input=text(one.input))
            for one in batch
        ]
        request = pb.EntityBatchRequest(instanceId=entity.id, entityState=text(entity.state), operations=operations)
        try:
            answer = await self._desk.worker.operate(entity.name, request.SerializeToString())
        except FunctionFailed as failure:
            # The host keeps the state and fails the operations it has no results for.
            details = failure_details(failure.error_type, failure.message, failure.stack_trace)
            return pb.EntityBatchResult(entityState=text(entity.state), failureDetails=details)
        result: pb.EntityBatchResult = pb.EntityBatchResult.FromString(answer)
        return result

    def _interrupt(self, entity: Entity, batch: list[Operate], messages: list[Message]) -> None:
        names = [one.operation for one in batch]
        try:
            self._desk.interruptions.after_entity_batch(entity.id, names, entity.attempt)
        except WorkerDied as death:
            if death.sent:
                self._post.send(messages)
            raise

    def _give_back(self, entity: Entity, batch: list[Operate], after_s: float) -> None:
        self._desk.trace.note("entity", entity.name, entity.id, "lost")
        entity.inbox.extendleft(reversed(batch))
        entity.attempt += 1

        def again() -> None:
            entity.turn = "idle"
            self._schedule(entity)

        self._post.later(after_s, again)

    def _messages(self, batch: list[Operate], result: pb.EntityBatchResult) -> list[Message]:
        now = self._clock.now()
        messages: list[Message] = []
        for position, operation in enumerate(batch):
            if operation.caller is not None:
                outcome = result.results[position] if position < len(result.results) else None
                reply = json.dumps(_reply(outcome, result))
                raised = pb.EventRaisedEvent(name=operation.request_id, input=text(reply))
                messages.append(Deliver(operation.caller, event(now, eventRaised=raised)))
        messages += [self._sent(action) for action in result.actions]
        return messages

    def _sent(self, action: pb.OperationAction) -> Message:
        if action.HasField("sendSignal"):
            signal = action.sendSignal
            at = optional_date(signal, "scheduledTime")
            return Operate(signal.instanceId, uuid.uuid4().hex, signal.name, optional(signal, "input"), at=at)
        start = action.startNewOrchestration
        return StartOrchestration(
            start.instanceId or self._ids.of_start(start.name),
            start.name,
            optional(start, "input"),
            optional(start, "version"),
            at=optional_date(start, "scheduledTime"),
        )


def _reply(outcome: pb.OperationResult | None, result: pb.EntityBatchResult) -> dict[str, Any]:
    """The reply to an orchestration in the Durable extension's entity protocol."""
    if outcome is not None and outcome.HasField("success"):
        return {"result": optional(outcome.success, "result")}
    details = result.failureDetails if outcome is None else outcome.failure.failureDetails
    return {
        "result": json.dumps(details.errorMessage),
        "exceptionType": details.errorType,
        "failureDetails": {
            "ErrorType": details.errorType,
            "ErrorMessage": details.errorMessage,
            "StackTrace": optional(details, "stackTrace"),
            "IsNonRetriable": details.isNonRetriable,
        },
    }
