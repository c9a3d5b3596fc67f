"""One batch of an entity: its operations, its result, and the messages that follow from it.

Decides which messages the sorter drops and how a batch that failed as a whole answers. Changes only an entity's inbox.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.entity_messages import call_answered
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


def dropped_by_sorter(entity: Entity, message: Operate | LockEntities) -> bool:
    """Whether the message sorter drops `message`, as in the engine unless host.json switches the sorter off.

    An orchestration's calls and locks have no time stamps. The sorter treats them as duplicates until a message with a
    time stamp (a signal of another entity) has opened its window; from then on it treats them as older and lets them
    pass.
    https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/Entities/StateFormat/MessageSorter.cs
    """
    if isinstance(message, Operate) and message.stamped:
        entity.sorts_calls = False
        return False
    if message.caller is None or message.at is not None or (isinstance(message, LockEntities) and message.position):
        return False
    return entity.sorts_calls


def next_batch(entity: Entity, most: int) -> tuple[list[Operate], LockEntities | None]:
    """Take the next operations from the inbox: at most `most`, up to the first lock. Returns them and that lock.

    A locked entity takes only the operations of the lock's holder.
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


async def run_batch(entity: Entity, batch: list[Operate], worker: Worker) -> pb.EntityBatchResult:
    """Run a batch on the worker. If the function fails, the state stays and there are no results. Raises WorkerDied."""
    operations = [
        pb.OperationRequest(operation=one.operation, requestId=one.request_id, input=text(one.input)) for one in batch
    ]
    request = pb.EntityBatchRequest(instanceId=entity.id, entityState=text(entity.state), operations=operations)
    try:
        answer = await worker.operate(entity.name, request.SerializeToString())
    except FunctionMissing as missing:
        details = failure_details(missing.error_type, missing.message)
    except FunctionFailed:
        message = f"Invocation of function '{entity.name}' failed with an exception."
        details = failure_details("FunctionInvocationFailed", message)
    else:
        result: pb.EntityBatchResult = pb.EntityBatchResult.FromString(answer)
        return result
    details.isNonRetriable = True
    return pb.EntityBatchResult(entityState=text(entity.state), failureDetails=details)


def messages_of(
    entity: Entity, batch: list[Operate], result: pb.EntityBatchResult, ids: Ids, now: datetime
) -> list[Message]:
    """The answers to the callers of a batch, and the signals and orchestration starts of its operations."""
    messages: list[Message] = []
    for position, operation in enumerate(batch):
        if operation.caller is not None:
            outcome = result.results[position] if position < len(result.results) else None
            reply = call_answered(operation, outcome, result.failureDetails, now)
            messages.append(Deliver(operation.caller, reply, answers=operation.request_id))
    messages += [_sent(entity, number, action, ids) for number, action in enumerate(result.actions)]
    return messages


def _sent(entity: Entity, number: int, action: pb.OperationAction, ids: Ids) -> Message:
    if action.HasField("sendSignal"):
        signal = action.sendSignal
        at = optional_date(signal, "scheduledTime")
        request = str(uuid.uuid4())
        return Operate(signal.instanceId, request, signal.name, optional(signal, "input"), at=at, stamped=at is None)
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
