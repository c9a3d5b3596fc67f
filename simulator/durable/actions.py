"""What an orchestrator's answer means: the events that confirm it in the history and the messages that carry it out.

Decides how each action of an OrchestratorResponse is recorded and sent. Refuses to know when it is sent or kept: it
is a pure function of the answer, the instance and the time.

Entity calls are recorded in the shape the Durable extension of the Functions host uses: an `eventSent` named `op` with
a JSON request, answered by an `eventRaised` named after the request id. That is the path the app's worker takes in
Azure; durabletask's own back ends use other events.
https://github.com/microsoft/durabletask-python/blob/main/durabletask/worker.py
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.history import event, optional, optional_date, text, timestamp
from simulator.durable.records import Address, Deliver, Instance, Message, Operate, Parent, RunActivity
from simulator.durable.records import StartOrchestration as Start


class UnsupportedAction(Exception):
    """The orchestrator asked for something this hub does not do."""


@dataclass
class Answer:
    """An orchestrator's answer, told apart: what to append to the history, what to send, and how it ended if it did."""

    custom_status: str | None = None
    events: list[pb.HistoryEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    completion: pb.CompleteOrchestrationAction | None = None

    @property
    def continued_as_new(self) -> bool:
        """Whether the orchestration goes on under the same id with a new history."""
        return (
            self.completion is not None
            and self.completion.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
        )


def interpret(instance: Instance, response: pb.OrchestratorResponse, now: datetime) -> Answer:
    """Tell an answer's actions apart. UnsupportedAction names an action the hub does not do."""
    answer = Answer(optional(response, "customStatus"))
    for action in response.actions:
        match action.WhichOneof("orchestratorActionType"):
            case "scheduleTask":
                _activity(instance, action, now, answer)
            case "createTimer":
                _timer(instance, action, now, answer)
            case "createSubOrchestration":
                _sub_orchestration(instance, action, now, answer)
            case "sendEvent":
                _external_event(action, now, answer)
            case "sendEntityMessage":
                _entity_message(instance, action, now, answer)
            case "completeOrchestration":
                answer.completion = action.completeOrchestration
            case other:
                raise UnsupportedAction(f"the local durable hub does not do {other}")
    if answer.completion is not None and not answer.continued_as_new:
        answer.messages += _tell_parent(instance, answer.completion, now)
    return answer


def failed(details: pb.TaskFailureDetails) -> pb.OrchestratorResponse:
    """The answer of an orchestrator that failed with `details`."""
    completion = pb.CompleteOrchestrationAction(
        orchestrationStatus=pb.ORCHESTRATION_STATUS_FAILED, failureDetails=details
    )
    return pb.OrchestratorResponse(actions=[pb.OrchestratorAction(id=-1, completeOrchestration=completion)])


def _activity(instance: Instance, action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    task, payload = action.scheduleTask, optional(action.scheduleTask, "input")
    scheduled = pb.TaskScheduledEvent(name=task.name, input=text(payload), version=text(optional(task, "version")))
    answer.events.append(event(now, action.id, taskScheduled=scheduled))
    answer.messages.append(RunActivity(instance.address, action.id, task.name, payload))


def _timer(instance: Instance, action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    fire_at = action.createTimer.fireAt
    answer.events.append(event(now, action.id, timerCreated=pb.TimerCreatedEvent(fireAt=fire_at)))
    due = fire_at.ToDatetime(tzinfo=UTC)
    fired = event(due, timerFired=pb.TimerFiredEvent(fireAt=fire_at, timerId=action.id))
    answer.messages.append(Deliver(instance.address, fired, at=due))


def _sub_orchestration(instance: Instance, action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    child = action.createSubOrchestration
    payload, version = optional(child, "input"), optional(child, "version")
    # An orchestrator that names no id gets one that is the same each time this turn is replayed.
    child_id = child.instanceId or f"{instance.execution_id}:{action.id:04x}"
    created = pb.SubOrchestrationInstanceCreatedEvent(
        instanceId=child_id, name=child.name, input=text(payload), version=text(version)
    )
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


def _entity_message(instance: Instance, action: pb.OrchestratorAction, now: datetime, answer: Answer) -> None:
    message = action.sendEntityMessage
    if message.HasField("entityOperationSignaled"):
        request: pb.EntityOperationSignaledEvent | pb.EntityOperationCalledEvent = message.entityOperationSignaled
        caller = None
    elif message.HasField("entityOperationCalled"):
        request, caller = message.entityOperationCalled, instance.address
    else:
        raise UnsupportedAction("the local durable hub has no entity locks (lock_entities)")
    due = optional_date(request, "scheduledTime")
    payload, target = optional(request, "input"), request.targetInstanceId.value
    envelope = {"op": request.operation, "signal": caller is None, "input": payload, "id": request.requestId}
    if caller is not None:
        envelope |= {"parent": caller.instance_id, "parentExecution": caller.execution_id}
    name = "op" if due is None else f"op@{due.isoformat()}"
    sent = pb.EventSentEvent(instanceId=target, name=name, input=text(json.dumps(envelope)))
    answer.events.append(event(now, action.id, eventSent=sent))
    answer.messages.append(Operate(target, request.requestId, request.operation, payload, caller, due))


def _tell_parent(instance: Instance, completion: pb.CompleteOrchestrationAction, now: datetime) -> list[Message]:
    # A child that was terminated fails for its parent like one that raised, with what the terminator said as the text.
    # https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/TaskOrchestrationDispatcher.cs
    parent = instance.parent
    if parent is None:
        return []
    output = optional(completion, "result")
    if completion.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED:
        done = pb.SubOrchestrationInstanceCompletedEvent(taskScheduledId=parent.task_id, result=text(output))
        return [Deliver(parent.address, event(now, subOrchestrationInstanceCompleted=done))]
    details = pb.TaskFailureDetails(errorType="Terminated", errorMessage=output or "the orchestration was terminated")
    if completion.HasField("failureDetails"):
        details = completion.failureDetails
    raised = pb.SubOrchestrationInstanceFailedEvent(taskScheduledId=parent.task_id, failureDetails=details)
    return [Deliver(parent.address, event(now, subOrchestrationInstanceFailed=raised))]


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
