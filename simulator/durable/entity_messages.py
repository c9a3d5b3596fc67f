"""The messages between orchestrations and entities, in the format of the Functions host's Durable extension.

Decides the JSON of a request, a lock and an answer. Does not send them and does not know how an entity runs.

A request is an `eventSent` named `op` with a JSON text, its answer an `eventRaised` named after the request's id. The
app's worker uses these events in Azure; durabletask's own back ends use others.
https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/Entities/EventFormat/RequestMessage.cs
https://github.com/microsoft/durabletask-python/blob/main/durabletask/worker.py
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.history import event, optional, optional_date, text
from simulator.durable.records import Address, LockEntities, Message, Operate, ReleaseEntity

_LOCKED = "Lock Acquisition Completed"


def to_entity(sender: Address, action: pb.OrchestratorAction, now: datetime) -> tuple[pb.HistoryEvent, Message]:
    """The event that confirms an orchestration's entity message, and the message."""
    sent = action.sendEntityMessage
    message: Operate | LockEntities | ReleaseEntity
    match sent.WhichOneof("EntityMessageType"):
        case "entityOperationSignaled":
            name, envelope, message = _operation(sent.entityOperationSignaled, None)
        case "entityOperationCalled":
            name, envelope, message = _operation(sent.entityOperationCalled, sender)
        case "entityLockRequested":
            name, envelope, message = _lock(sent.entityLockRequested, sender)
        case _:
            name, envelope, message = _release(sent.entityUnlockSent, sender)
    encoded = json.dumps(envelope, separators=(",", ":"))
    confirmed = pb.EventSentEvent(instanceId=message.entity_id, name=name, input=text(encoded))
    return event(now, action.id, eventSent=confirmed), message


def _operation(
    request: pb.EntityOperationSignaledEvent | pb.EntityOperationCalledEvent, caller: Address | None
) -> tuple[str, dict[str, Any], Operate]:
    due, payload = optional_date(request, "scheduledTime"), optional(request, "input")
    envelope: dict[str, Any] = {"op": request.operation}
    if caller is None:
        envelope["signal"] = True
    if payload is not None:
        envelope["input"] = payload
    envelope["id"] = request.requestId
    if caller is not None:
        envelope["parent"] = caller.instance_id
    name = "op" if due is None else f"op@{due.isoformat()}"
    # The answer has no execution id: the execution that runs when it arrives receives it.
    sender = None if caller is None else Address(caller.instance_id)
    target = request.targetInstanceId.value
    return name, envelope, Operate(target, request.requestId, request.operation, payload, sender, due)


def _lock(request: pb.EntityLockRequestedEvent, caller: Address) -> tuple[str, dict[str, Any], LockEntities]:
    locks = tuple(request.lockSet)
    envelope = {"op": None, "id": request.criticalSectionId, "parent": caller.instance_id, "lockset": list(locks)}
    return "op", envelope, LockEntities(request.criticalSectionId, locks, Address(caller.instance_id), request.position)


def _release(request: pb.EntityUnlockSentEvent, holder: Address) -> tuple[str, dict[str, Any], ReleaseEntity]:
    envelope = {"parent": holder.instance_id, "id": request.criticalSectionId}
    return "release", envelope, ReleaseEntity(request.targetInstanceId.value, holder.instance_id)


def locks_granted(request: LockEntities, now: datetime) -> pb.HistoryEvent:
    """The event that an orchestration gets when it holds all its locks."""
    return _raised(request.request_id, {"result": _LOCKED}, now)


def call_answered(
    operation: Operate, outcome: pb.OperationResult | None, failure: pb.TaskFailureDetails, now: datetime
) -> pb.HistoryEvent:
    """The event that answers a call: its outcome, or without an outcome the failure of the entity's whole batch.

    A batch that failed as a whole answers with plain text where JSON is expected.
    https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/TaskEntityDispatcher.cs
    """
    if outcome is None:
        dispatch = {"result": failure.errorMessage, "exceptionType": "entity dispatch failed"}
        return _raised(operation.request_id, {**dispatch, "failureDetails": _details(failure, None)}, now)
    if outcome.HasField("success"):
        return _raised(operation.request_id, {"result": optional(outcome.success, "result")}, now)
    details = {"result": None, "failureDetails": _details(outcome.failure.failureDetails, {})}
    return _raised(operation.request_id, details, now)


def _details(details: pb.TaskFailureDetails, properties: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "ErrorType": details.errorType,
        "ErrorMessage": details.errorMessage,
        "StackTrace": optional(details, "stackTrace"),
        "InnerFailure": None,
        "IsNonRetriable": details.isNonRetriable,
        "Properties": properties,
    }


def _raised(name: str, content: dict[str, Any], now: datetime) -> pb.HistoryEvent:
    encoded = json.dumps(content, separators=(",", ":"))
    return event(now, eventRaised=pb.EventRaisedEvent(name=name, input=text(encoded)))
