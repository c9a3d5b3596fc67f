"""Converts the actions of an orchestrator's response to history events and messages.

Decides how each action of an OrchestratorResponse is recorded and sent. Does not send or store anything: the result is
a pure function of the response, the instance and the time. Messages to entities are made in `entity_messages`.

The events are those that the Durable extension records: an event that schedules something has no input.
https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/TaskOrchestrationDispatcher.cs
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.entity_messages import to_entity
from simulator.durable.history import event, optional, text, timestamp
from simulator.durable.records import (
    FIRE_AND_FORGET,
    Address,
    Deliver,
    Instance,
    LockEntities,
    Message,
    Operate,
    Parent,
    RunActivity,
)
from simulator.durable.records import StartOrchestration as Start

# Time between the start of a turn and the arrival of its messages in the queues.
_SENT_AFTER = timedelta(milliseconds=50)
# The extension refuses a larger custom status, measured in UTF-16.
_MAX_STATUS_BYTES = 16 * 1024


class UnsupportedAction(Exception):
    """The response contains an action that this hub does not support."""


class StatusTooLarge(Exception):
    """The orchestrator set a custom status larger than the extension accepts."""


@dataclass
class Answer:
    """The effect of a response: events for the history, messages to send, and the completion if there is one.

    `requested` holds the ids of the tasks, timers and entity requests that the response starts.
    """

    custom_status: str | None = None
    events: list[pb.HistoryEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    completion: pb.CompleteOrchestrationAction | None = None
    requested: list[int | str] = field(default_factory=list)

    @property
    def continued_as_new(self) -> bool:
        """Whether the orchestration continues under the same id with a new history."""
        return (
            self.completion is not None
            and self.completion.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
        )


def interpret(instance: Instance, response: pb.OrchestratorResponse, now: datetime) -> Answer:
    """The effect of a response. Raises UnsupportedAction, which names the action, and StatusTooLarge."""
    answer = Answer(_status(response))
    for action in response.actions:
        match action.WhichOneof("orchestratorActionType"):
            case "scheduleTask":
                _activity(instance, action, now, answer)
                answer.requested.append(action.id)
            case "createTimer":
                _timer(instance, action, now, answer)
                answer.requested.append(action.id)
            case "createSubOrchestration":
                _sub_orchestration(instance, action, now, answer)
                answer.requested.append(action.id)
            case "sendEvent":
                _external_event(action, now, answer)
            case "sendEntityMessage":
                sent, message = to_entity(instance.address, action, now)
                answer.events.append(sent)
                answer.messages.append(message)
                request_id = message.request_id if isinstance(message, Operate | LockEntities) else action.id
                answer.requested.append(request_id)
            case "completeOrchestration":
                _completion(action, now, answer)
            case other:
                raise UnsupportedAction(f"the local durable hub does not support {other}")
    if answer.completion is not None and not answer.continued_as_new:
        answer.messages += _to_parent(instance, answer.completion, now)
    return answer


def failed(message: str, details: str | None) -> pb.OrchestratorResponse:
    """The response for an orchestrator whose function failed outside its own code, in the extension's wording."""
    output = json.dumps({"message": message, "details": details}, separators=(",", ":"))
    completion = pb.CompleteOrchestrationAction(orchestrationStatus=pb.ORCHESTRATION_STATUS_FAILED, result=text(output))
    return pb.OrchestratorResponse(actions=[pb.OrchestratorAction(id=-1, completeOrchestration=completion)])


def output_of(completion: pb.CompleteOrchestrationAction) -> str | None:
    """The output that clients see; for a failed orchestration its failure as text, with the error type first.

    https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Tracking/AzureTableTrackingStore.cs
    """
    if completion.HasField("failureDetails"):
        return f"{completion.failureDetails.errorType}: {completion.failureDetails.errorMessage}"
    return optional(completion, "result")


def _status(response: pb.OrchestratorResponse) -> str | None:
    status = optional(response, "customStatus")
    if status is not None and (size := 2 * len(status)) > _MAX_STATUS_BYTES:
        raise StatusTooLarge(f"CustomStatus is too large: limit = 16 KB (UTF-16), actual = {size / 1024:.2f} KB.")
    return status


def _completion(action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    answer.completion = done = action.completeOrchestration
    if not answer.continued_as_new:
        completed = pb.ExecutionCompletedEvent(
            orchestrationStatus=done.orchestrationStatus, result=text(optional(done, "result"))
        )
        if done.HasField("failureDetails"):
            completed.failureDetails.CopyFrom(done.failureDetails)
        answer.events.append(event(now, action.id, executionCompleted=completed))


def _activity(instance: Instance, action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    task, payload = action.scheduleTask, optional(action.scheduleTask, "input")
    scheduled = pb.TaskScheduledEvent(name=task.name, version=text(optional(task, "version")))
    answer.events.append(event(now, action.id, taskScheduled=scheduled))
    answer.messages.append(RunActivity(instance.address, action.id, task.name, payload))


def _timer(instance: Instance, action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    fire_at = action.createTimer.fireAt
    answer.events.append(event(now, action.id, timerCreated=pb.TimerCreatedEvent(fireAt=fire_at)))
    seen_at = timer_seen_at(fire_at.ToDatetime(tzinfo=UTC), now)
    fired = event(seen_at, timerFired=pb.TimerFiredEvent(fireAt=fire_at, timerId=action.id))
    answer.messages.append(Deliver(instance.address, fired, at=seen_at, answers=action.id))


def timer_seen_at(due: datetime, now: datetime) -> datetime:
    """When a timer for `due`, made by a turn at `now`, wakes its orchestration: up to a second early.

    A queue hides a message for whole seconds, and the extension sends it a moment after the turn began: the fraction
    of a second in the remaining time is cut off.
    https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Messaging/TaskHubQueue.cs
    """
    left = due - now - _SENT_AFTER
    return now + _SENT_AFTER + timedelta(seconds=max(0, left // timedelta(seconds=1)))


def _sub_orchestration(instance: Instance, action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    child = action.createSubOrchestration
    payload, version = optional(child, "input"), optional(child, "version")
    # Without an id from the orchestrator, the id is the same each time this turn is replayed.
    child_id = child.instanceId or f"{instance.execution_id}:{action.id:04x}"
    created = pb.SubOrchestrationInstanceCreatedEvent(instanceId=child_id, name=child.name, version=text(version))
    answer.events.append(event(now, action.id, subOrchestrationInstanceCreated=created))
    parent = Parent(instance.address, instance.name, action.id)
    answer.messages.append(Start(child_id, child.name, payload, version, parent))


def _external_event(action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    sent, payload = action.sendEvent, optional(action.sendEvent, "data")
    target = sent.instance.instanceId
    confirmed = pb.EventSentEvent(instanceId=target, name=sent.name, input=text(payload))
    answer.events.append(event(now, action.id, eventSent=confirmed))
    raised = event(now, eventRaised=pb.EventRaisedEvent(name=sent.name, input=text(payload)))
    answer.messages.append(Deliver(Address(target), raised))


def _to_parent(instance: Instance, completion: pb.CompleteOrchestrationAction, now: datetime) -> list[Message]:
    # The parent gets no failure details of a child that was terminated or whose function failed outside its own code.
    # https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/TaskOrchestrationDispatcher.cs
    parent = instance.parent
    if parent is None or FIRE_AND_FORGET in instance.tags:
        return []
    output = optional(completion, "result")
    if completion.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED:
        done = pb.SubOrchestrationInstanceCompletedEvent(taskScheduledId=parent.task_id, result=text(output))
        return [_ended(parent, event(now, subOrchestrationInstanceCompleted=done))]
    raised = pb.SubOrchestrationInstanceFailedEvent(taskScheduledId=parent.task_id)
    if completion.HasField("failureDetails"):
        raised.failureDetails.CopyFrom(completion.failureDetails)
    return [_ended(parent, event(now, subOrchestrationInstanceFailed=raised))]


def _ended(parent: Parent, happened: pb.HistoryEvent) -> Deliver:
    return Deliver(parent.address, happened, answers=parent.task_id)


def execution_started(instance: Instance, now: datetime) -> pb.HistoryEvent:
    """The first event of every execution."""
    started = pb.ExecutionStartedEvent(
        name=instance.name,
        version=text(instance.version),
        input=text(instance.input),
        orchestrationInstance=_instance(instance.address),
        tags=instance.tags,
    )
    if instance.parent is not None:
        parent = instance.parent
        started.parentInstance.CopyFrom(
            pb.ParentInstanceInfo(
                taskScheduledId=parent.task_id,
                name=text(parent.name),
                orchestrationInstance=_instance(parent.address),
            )
        )
    if instance.scheduled_at is not None:
        started.scheduledStartTimestamp.CopyFrom(timestamp(instance.scheduled_at))
    return event(now, executionStarted=started)


def _instance(address: Address) -> pb.OrchestrationInstance:
    return pb.OrchestrationInstance(instanceId=address.instance_id, executionId=text(address.execution_id))
