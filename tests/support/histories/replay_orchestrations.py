"""Replays stored histories with the current orchestrators, on the SDK's engine as in Azure.

Decides what an orchestrator must not change while executions of it are under way: at every turn it has to request the
same actions in the same order. Inputs may differ: an activity gets its input only once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from azure.durable_functions.worker import DurableFunctionsWorker
from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.actions import execution_started, interpret
from simulator.durable.history import event, failure_details, optional, text
from simulator.durable.records import Instance
from tests.support.histories.histories import Action, Event, History, Turn

Orchestrator = Callable[..., Any]
_STATUS = {
    pb.ORCHESTRATION_STATUS_COMPLETED: "completed",
    pb.ORCHESTRATION_STATUS_FAILED: "failed",
    pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW: "continued as new",
    pb.ORCHESTRATION_STATUS_TERMINATED: "terminated",
}


def differences(history: History, orchestrator: Orchestrator) -> list[str]:
    """The first turn at which `orchestrator` differs from a stored history; empty when all turns are the same."""
    replay = _Replay(history)
    found: list[str] = []
    for number, turn in enumerate(history.turns, 1):
        answer = replay.run(orchestrator, turn)
        where = f"{history.orchestration}, story '{history.story}', turn {number} ({_summary(turn.events)})"
        found += [
            f"{where}: {what}" for what in _compare(turn.actions, [_shape(one, turn.at) for one in answer.actions])
        ]
        if found:  # the turns after a different one follow from it
            break
        replay.keep(turn, answer)
    return found


def fill_in(history: History, orchestrator: Orchestrator) -> None:
    """Write the actions that `orchestrator` requests into every turn of `history`."""
    replay = _Replay(history)
    for turn in history.turns:
        answer = replay.run(orchestrator, turn)
        turn.actions = [_shape(one, turn.at) for one in answer.actions]
        replay.keep(turn, answer)


def shapes(response: pb.OrchestratorResponse, at: datetime) -> list[Action]:
    """The actions of an answer, in the form of histories."""
    return [_shape(one, at) for one in response.actions]


class _Replay:
    """One execution so far: its past events, as the hub stores them."""

    def __init__(self, history: History) -> None:
        begun = history.turns[0].at
        self._instance = Instance(history.instance, history.orchestration, "execution", begun, begun)
        self._past: list[pb.HistoryEvent] = []

    def run(self, orchestrator: Orchestrator, turn: Turn) -> pb.OrchestratorResponse:
        """The orchestrator's answer to a turn's events, given the past events."""
        request = pb.OrchestratorRequest(
            instanceId=self._instance.id, pastEvents=self._past, newEvents=self._new_events(turn)
        )
        body = base64.b64encode(request.SerializeToString()).decode("ascii")
        answer = DurableFunctionsWorker().execute_orchestration_request(orchestrator, body)
        response: pb.OrchestratorResponse = pb.OrchestratorResponse.FromString(base64.b64decode(answer))
        return _with_numbered_calls(response)

    def keep(self, turn: Turn, answer: pb.OrchestratorResponse) -> None:
        """Add a turn to the past events, with the events that confirm its actions."""
        confirmed = interpret(self._instance, answer, turn.at).events
        self._past += [*self._new_events(turn), *confirmed, event(turn.at, orchestratorCompleted=_COMPLETED)]

    def _new_events(self, turn: Turn) -> list[pb.HistoryEvent]:
        started = event(turn.at, orchestratorStarted=pb.OrchestratorStartedEvent())
        return [started, *(_event(one, self._instance, turn.at) for one in turn.events)]


_COMPLETED = pb.OrchestratorCompletedEvent()


def _with_numbered_calls(response: pb.OrchestratorResponse) -> pb.OrchestratorResponse:
    # An entity's answer names the call by an id that changes with the code; the action's number does not.
    for action in response.actions:
        if action.HasField("sendEntityMessage") and action.sendEntityMessage.HasField("entityOperationCalled"):
            action.sendEntityMessage.entityOperationCalled.requestId = f"call-{action.id}"
    return response


def _event(stored: Event, instance: Instance, at: datetime) -> pb.HistoryEvent:
    match stored:
        case ["started", data]:
            instance.input = json.dumps(data)
            return execution_started(instance, at)
        case ["answered", number, result]:
            return event(at, taskCompleted=pb.TaskCompletedEvent(taskScheduledId=number, result=_text(result)))
        case ["failed", number, kind, message]:
            details = failure_details(kind, message)
            return event(at, taskFailed=pb.TaskFailedEvent(taskScheduledId=number, failureDetails=details))
        case ["entity", number, reply]:
            envelope = {"result": "" if reply is None else json.dumps(reply)}
            return event(at, eventRaised=pb.EventRaisedEvent(name=f"call-{number}", input=_text(envelope)))
        case ["timer", number]:
            return event(at, timerFired=pb.TimerFiredEvent(timerId=number))
        case ["event", name, data]:
            return event(at, eventRaised=pb.EventRaisedEvent(name=name, input=_text(data)))
        case ["child", number, result]:
            done = pb.SubOrchestrationInstanceCompletedEvent(taskScheduledId=number, result=_text(result))
            return event(at, subOrchestrationInstanceCompleted=done)
        case ["child failed", number, kind, message]:
            lost = pb.SubOrchestrationInstanceFailedEvent(
                taskScheduledId=number, failureDetails=failure_details(kind, message)
            )
            return event(at, subOrchestrationInstanceFailed=lost)
    raise ValueError(f"a history has no event {stored[0]!r}")


def _text(value: Any) -> Any:
    return text(json.dumps(value))


def _shape(action: pb.OrchestratorAction, at: datetime) -> Action:
    match action.WhichOneof("orchestratorActionType"):
        case "scheduleTask":
            return [action.id, "activity", action.scheduleTask.name]
        case "createTimer":
            wait = action.createTimer.fireAt.ToDatetime(tzinfo=at.tzinfo) - at
            return [action.id, "timer", round(wait / timedelta(seconds=1))]
        case "createSubOrchestration":
            return [action.id, "start", action.createSubOrchestration.name]
        case "sendEvent":
            return [action.id, "event", action.sendEvent.name, action.sendEvent.instance.instanceId]
        case "sendEntityMessage":
            return [action.id, *_entity_shape(action.sendEntityMessage)]
        case "completeOrchestration":
            return [action.id, "end", *_end_shape(action.completeOrchestration)]
        case other:
            raise ValueError(f"a history has no form for the action {other}")


def _entity_shape(message: pb.SendEntityMessageAction) -> list[Any]:
    called = message.HasField("entityOperationCalled")
    one = message.entityOperationCalled if called else message.entityOperationSignaled
    entity = one.targetInstanceId.value.split("@")[1]
    return ["call" if called else "signal", f"{entity}.{one.operation}"]


def _end_shape(completion: pb.CompleteOrchestrationAction) -> list[Any]:
    status = _STATUS[completion.orchestrationStatus]
    if completion.HasField("failureDetails"):
        return [status, f"{completion.failureDetails.errorType}: {completion.failureDetails.errorMessage}"]
    output = optional(completion, "result")
    result = json.loads(output) if output and status == "completed" else None
    return [status, result["status"]] if isinstance(result, dict) and "status" in result else [status]


def _compare(were: list[Action], are: list[Action]) -> Iterator[str]:
    for position in range(max(len(were), len(are))):
        was = were[position] if position < len(were) else None
        now = are[position] if position < len(are) else None
        if was != now:
            yield f"requested {_action_text(was)}, now requests {_action_text(now)}"


def _action_text(action: Action | None) -> str:
    return "nothing more" if action is None else f"{action[1]} {' '.join(map(str, action[2:]))} (#{action[0]})"


def _summary(events: list[Event]) -> str:
    return ", ".join(" ".join(str(part) for part in one[:2] if not isinstance(part, dict)) for one in events)
