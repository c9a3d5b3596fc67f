"""What an orchestrator's answer means: the events that confirm it in the history and the messages that carry it out.

Decides how each action of an OrchestratorResponse is recorded and sent. Does not know when it is sent or kept: it is a
pure function of the answer, the instance and the time. What is sent to entities is in `entity_messages`.

The events are those that the Durable extension records: those that schedule something come without their input.
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

# From the beginning of a turn until what it sends is in the queues.
_SENT_AFTER = timedelta(milliseconds=50)
# The extension refuses a larger custom status, measured in UTF-16.
_MOST_STATUS_BYTES = 16 * 1024


class UnsupportedAction(Exception):
    """The orchestrator asked for something this hub does not do."""


class StatusTooLarge(Exception):
    """The orchestrator set a custom status that the extension refuses."""


@dataclass
class Answer:
    """An orchestrator's answer: what to append to the history, what to send, and how it ended if it did."""

    custom_status: str | None = None
    events: list[pb.HistoryEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    completion: pb.CompleteOrchestrationAction | None = None
    asked: list[int | str] = field(default_factory=list)

    @property
    def continued_as_new(self) -> bool:
        """Whether the orchestration goes on under the same id with a new history."""
        return (
            self.completion is not None
            and self.completion.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
        )


def interpret(instance: Instance, response: pb.OrchestratorResponse, now: datetime) -> Answer:
    """What an answer's actions come to. UnsupportedAction names one the hub does not do; StatusTooLarge."""
    answer = Answer(_status(response))
    for action in response.actions:
        match action.WhichOneof("orchestratorActionType"):
            case "scheduleTask":
                _activity(instance, action, now, answer)
                answer.asked.append(action.id)
            case "createTimer":
                _timer(instance, action, now, answer)
                answer.asked.append(action.id)
            case "createSubOrchestration":
                _sub_orchestration(instance, action, now, answer)
                answer.asked.append(action.id)
            case "sendEvent":
                _external_event(action, now, answer)
            case "sendEntityMessage":
                sent, message = to_entity(instance.address, action, now)
                answer.events.append(sent)
                answer.messages.append(message)
                answer.asked.append(message.request_id if isinstance(message, Operate | LockEntities) else action.id)
            case "completeOrchestration":
                _completion(action, now, answer)
            case other:
                raise UnsupportedAction(f"the local durable hub does not do {other}")
    if answer.completion is not None and not answer.continued_as_new:
        answer.messages += _to_parent(instance, answer.completion, now)
    return answer


def failed(message: str, details: str | None) -> pb.OrchestratorResponse:
    """The answer for an orchestrator whose function failed outside its own code, as the extension words it."""
    output = json.dumps({"message": message, "details": details}, separators=(",", ":"))
    completion = pb.CompleteOrchestrationAction(orchestrationStatus=pb.ORCHESTRATION_STATUS_FAILED, result=text(output))
    return pb.OrchestratorResponse(actions=[pb.OrchestratorAction(id=-1, completeOrchestration=completion)])


def output_of(completion: pb.CompleteOrchestrationAction) -> str | None:
    """What clients see as the output: of a failed orchestration its failure as text, type first.

    https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Tracking/AzureTableTrackingStore.cs
    """
    if completion.HasField("failureDetails"):
        return f"{completion.failureDetails.errorType}: {completion.failureDetails.errorMessage}"
    return optional(completion, "result")


def _status(response: pb.OrchestratorResponse) -> str | None:
    status = optional(response, "customStatus")
    if status is not None and (size := 2 * len(status)) > _MOST_STATUS_BYTES:
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
    """When a timer for `due` that a turn of `now` makes wakes its orchestration: up to a second early.

    A queue hides a message for whole seconds, and the extension sends it a moment after the turn began: of the time
    that is left the fraction is cut off.
    https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Messaging/TaskHubQueue.cs
    """
    left = due - now - _SENT_AFTER
    return now + _SENT_AFTER + timedelta(seconds=max(0, left // timedelta(seconds=1)))


def _sub_orchestration(instance: Instance, action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    child = action.createSubOrchestration
    payload, version = optional(child, "input"), optional(child, "version")
    # An orchestrator that names no id gets one that is the same each time this turn is replayed.
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
    # A child that was terminated, or whose function failed outside its own code, fails for its parent without details.
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
    """The event every execution begins with."""
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
