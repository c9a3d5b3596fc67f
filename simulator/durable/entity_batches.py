"""One batch of an entity: which operations it takes, what the worker makes of them, and what is sent afterwards.

Decides what the message sorter drops and what a batch that failed as a whole answers. Changes an entity's inbox only.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.entity_messages import answered
from simulator.durable.history import failure_details, optional, optional_date, text
from simulator.durable.ids import Ids
from simulator.durable.records import (
    FIRE_AND_FORGET,
    Address,
    Deliver,
    Entity,
    LockEntities,
    Message,
    Operate,
    Parent,
    StartOrchestration,
)
from simulator.durable.worker import FunctionFailed, FunctionMissing, Worker


def sorted_out(entity: Entity, message: Operate | LockEntities) -> bool:
    """Whether the message sorter drops `message`, as the engine does unless host.json switches the sorter off.

    An orchestration's calls and locks arrive without time stamps. The sorter takes them for messages that it delivered
    before, until a message with a stamp, a signal of another entity, has opened its window: then they count as older.
    https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/Entities/StateFormat/MessageSorter.cs
    """
    if isinstance(message, Operate) and message.labelled:
        entity.sorts_calls = False
        return False
    if message.caller is None or message.at is not None or (isinstance(message, LockEntities) and message.position):
        return False
    return entity.sorts_calls


def next_batch(entity: Entity, most: int) -> tuple[list[Operate], LockEntities | None]:
    """Take the operations that come next, at most `most`, up to the first lock, which ends them; that lock if any.

    A locked entity takes the holder's operations only.
    """
    batch: list[Operate] = []
    while entity.inbox and len(batch) < most:
        first = entity.inbox[0]
        holder = None if first.caller is None else first.caller.instance_id
        if entity.locked_by is not None and holder != entity.locked_by:
            break
        entity.inbox.popleft()
        if isinstance(first, LockEntities):
            return batch, first
        batch.append(first)
    return batch, None


async def ask(entity: Entity, batch: list[Operate], worker: Worker) -> pb.EntityBatchResult:
    """What the worker makes of a batch. A function that fails keeps the state and has no results. WorkerDied."""
    operations = [
        pb.OperationRequest(operation=one.operation, requestId=one.request_id, input=text(one.input)) for one in batch
    ]
    request = pb.EntityBatchRequest(instanceId=entity.id, entityState=text(entity.state), operations=operations)
    try:
        answer = await worker.operate(entity.name, request.SerializeToString())
    except FunctionMissing as missing:
        details = failure_details(missing.error_type, missing.message)
    except FunctionFailed:
        words = f"Invocation of function '{entity.name}' failed with an exception."
        details = failure_details("FunctionInvocationFailed", words)
    else:
        result: pb.EntityBatchResult = pb.EntityBatchResult.FromString(answer)
        return result
    details.isNonRetriable = True
    return pb.EntityBatchResult(entityState=text(entity.state), failureDetails=details)


def messages_of(
    entity: Entity, batch: list[Operate], result: pb.EntityBatchResult, ids: Ids, now: datetime
) -> list[Message]:
    """The answers to the callers of a batch, and what its operations signalled and started."""
    messages: list[Message] = []
    for position, operation in enumerate(batch):
        if operation.caller is not None:
            outcome = result.results[position] if position < len(result.results) else None
            reply = answered(operation, outcome, result.failureDetails, now)
            messages.append(Deliver(operation.caller, reply, answers=operation.request_id))
    messages += [_sent(entity, number, action, ids) for number, action in enumerate(result.actions)]
    return messages


def _sent(entity: Entity, number: int, action: pb.OperationAction, ids: Ids) -> Message:
    if action.HasField("sendSignal"):
        signal = action.sendSignal
        at = optional_date(signal, "scheduledTime")
        request = str(uuid.uuid4())
        return Operate(signal.instanceId, request, signal.name, optional(signal, "input"), at=at, labelled=at is None)
    start = action.startNewOrchestration
    return StartOrchestration(
        start.instanceId or ids.of_start(start.name),
        start.name,
        optional(start, "input"),
        optional(start, "version"),
        parent=Parent(Address(entity.id), entity.id, number),
        tags={FIRE_AND_FORGET: ""},
        at=optional_date(start, "scheduledTime"),
    )
