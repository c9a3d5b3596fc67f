"""Replays stored histories against orchestrators as they are now, with the engine that runs them in Azure.

Decides what an orchestrator may not change while executions of it are under way: at every turn it has to ask for the
same things in the same order, whatever it says to them. What an activity is told may change, because it is told once.
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
    """What `orchestrator` would do differently at any turn of a stored history; empty when it would go on unharmed."""
    replay = _Replay(history)
    found: list[str] = []
    for number, turn in enumerate(history.turns, 1):
        asked = replay.ask(orchestrator, turn)
        where = f"{history.orchestration}, story '{history.story}', turn {number} ({_told(turn.events)})"
        found += [
            f"{where}: {what}" for what in _compare(turn.actions, [_shape(one, turn.at) for one in asked.actions])
        ]
        if found:  # whatever follows a turn that went another way says nothing new
            break
        replay.keep(turn, asked)
    return found


def fill_in(history: History, orchestrator: Orchestrator) -> None:
    """Write into every turn of `history` what `orchestrator` asks for."""
    replay = _Replay(history)
    for turn in history.turns:
        asked = replay.ask(orchestrator, turn)
        turn.actions = [_shape(one, turn.at) for one in asked.actions]
        replay.keep(turn, asked)


def shapes(response: pb.OrchestratorResponse, at: datetime) -> list[Action]:
    """What an answer asks for, as histories spell it."""
    return [_shape(one, at) for one in response.actions]


class _Replay:
    """One execution so far: the events behind it, as the hub would have kept them."""

    def __init__(self, history: History) -> None:
        begun = history.turns[0].at
        self._instance = Instance(history.instance, history.orchestration, "execution", begun, begun)
        self._past: list[pb.HistoryEvent] = []

    def ask(self, orchestrator: Orchestrator, turn: Turn) -> pb.OrchestratorResponse:
        """What the orchestrator answers to a turn's events after all that was before."""
        request = pb.OrchestratorRequest(
            instanceId=self._instance.id, pastEvents=self._past, newEvents=self._new_events(turn)
        )
        body = base64.b64encode(request.SerializeToString()).decode("ascii")
        answer = DurableFunctionsWorker().execute_orchestration_request(orchestrator, body)
        response: pb.OrchestratorResponse = pb.OrchestratorResponse.FromString(base64.b64decode(answer))
        return _with_numbered_calls(response)

    def keep(self, turn: Turn, asked: pb.OrchestratorResponse) -> None:
        """Put a turn behind us, with the events that confirm what was asked for."""
        confirmed = interpret(self._instance, asked, turn.at).events
        self._past += [*self._new_events(turn), *confirmed, event(turn.at, orchestratorCompleted=_COMPLETED)]

    def _new_events(self, turn: Turn) -> list[pb.HistoryEvent]:
        started = event(turn.at, orchestratorStarted=pb.OrchestratorStartedEvent())
        return [started, *(_event(one, self._instance, turn.at) for one in turn.events)]


_COMPLETED = pb.OrchestratorCompletedEvent()


def _with_numbered_calls(response: pb.OrchestratorResponse) -> pb.OrchestratorResponse:
    # An entity's answer names the call by an id that is drawn anew with every change of the code; its number is not.
    for action in response.actions:
        if action.HasField("sendEntityMessage") and action.sendEntityMessage.HasField("entityOperationCalled"):
            action.sendEntityMessage.entityOperationCalled.requestId = f"call-{action.id}"
    return response


def _event(told: Event, instance: Instance, at: datetime) -> pb.HistoryEvent:
    match told:
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
    raise ValueError(f"a history knows no event {told[0]!r}")


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
            raise ValueError(f"a history knows no action {other}")


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
    told = json.loads(output) if output and status == "completed" else None
    return [status, told["status"]] if isinstance(told, dict) and "status" in told else [status]


def _compare(were: list[Action], are: list[Action]) -> Iterator[str]:
    for position in range(max(len(were), len(are))):
        was = were[position] if position < len(were) else None
        now = are[position] if position < len(are) else None
        if was != now:
            yield f"asked for {_words(was)}, asks for {_words(now)} now"


def _words(action: Action | None) -> str:
    return "nothing more" if action is None else f"{action[1]} {' '.join(map(str, action[2:]))} (#{action[0]})"


def _told(events: list[Event]) -> str:
    return ", ".join(" ".join(str(part) for part in one[:2] if not isinstance(part, dict)) for one in events)
