"""Records the events that each orchestration of a story got from the hub and the actions it answered.

Decides how the hub's events become those of a history. Does not know the stories.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable import Worker
from simulator.durable.history import optional
from tests.support.histories.histories import Action, Event, History, Normal, Turn
from tests.support.histories.replay_orchestrations import Orchestrator, fill_in, shapes

type Answered = tuple[pb.OrchestratorRequest, pb.OrchestratorResponse]


class TurnRecorder:
    """Wraps the hub's worker and records every orchestrator turn by execution."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.turns: dict[tuple[str, str, str], list[Answered]] = {}

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        """Run a turn and record it."""
        answer = await self._worker.orchestrate(name, request)
        turn = pb.OrchestratorRequest.FromString(request)
        key = (name, turn.instanceId, optional(turn, "executionId") or "")
        self.turns.setdefault(key, []).append((turn, pb.OrchestratorResponse.FromString(answer)))
        return answer

    async def operate(self, name: str, request: bytes) -> bytes:
        """Run an entity batch."""
        return await self._worker.operate(name, request)

    async def act(self, name: str, payload: str | None) -> str | None:
        """Run an activity."""
        return await self._worker.act(name, payload)

    def history(self, orchestration: str, which: int, story: str) -> History:
        """The history of execution `which` of an orchestration, from 0 in order of start. IndexError without one."""
        executions = [(key[1], turns) for key, turns in self.turns.items() if key[0] == orchestration]
        instance, turns = executions[which]
        return _history(orchestration, story, instance, turns)


def finish(history: History, orchestrator: Orchestrator) -> None:
    """Fill in the actions of a replay with the current code. ValueError when they differ from those of the story."""
    recorded = [turn.actions for turn in history.turns]
    fill_in(history, orchestrator)
    for number, (was, turn) in enumerate(zip(recorded, history.turns, strict=True), 1):
        if _without_seconds(was) != _without_seconds(turn.actions):
            raise ValueError(f"{history.file.name}: turn {number} requested {was}, its replay {turn.actions}")


def _without_seconds(actions: list[Action]) -> list[Action]:
    return [action[:2] if action[1] in ("timer", "event") else action for action in actions]


def _history(name: str, story: str, instance: str, turns: Sequence[Answered]) -> History:
    normal, calls = Normal(), dict[str, int]()
    found = []
    for request, response in turns:
        begun = next(new for new in request.newEvents if new.HasField("orchestratorStarted"))
        at = begun.timestamp.ToDatetime(tzinfo=UTC).replace(microsecond=0)
        events = [_event(new, calls) for new in request.newEvents if not new.HasField("orchestratorStarted")]
        found.append(Turn(at, normal(events), normal(shapes(response, at))))
        calls |= {
            action.sendEntityMessage.entityOperationCalled.requestId: action.id
            for action in response.actions
            if action.sendEntityMessage.HasField("entityOperationCalled")
        }
    return History(name, story, normal(instance), found)


def _event(new: pb.HistoryEvent, calls: dict[str, int]) -> Event:
    match new.WhichOneof("eventType"):
        case "executionStarted":
            return ["started", _json(new.executionStarted, "input")]
        case "taskCompleted":
            return ["answered", new.taskCompleted.taskScheduledId, _json(new.taskCompleted, "result")]
        case "taskFailed":
            return ["failed", new.taskFailed.taskScheduledId, *_failure(new.taskFailed)]
        case "eventRaised":
            raised = new.eventRaised
            if raised.name in calls:
                return ["entity", calls[raised.name], _reply(_json(raised, "input"))]
            return ["event", raised.name, _json(raised, "input")]
        case "timerFired":
            return ["timer", new.timerFired.timerId]
        case "subOrchestrationInstanceCompleted":
            done = new.subOrchestrationInstanceCompleted
            return ["child", done.taskScheduledId, _json(done, "result")]
        case "subOrchestrationInstanceFailed":
            lost = new.subOrchestrationInstanceFailed
            return ["child failed", lost.taskScheduledId, *_failure(lost)]
        case other:
            raise ValueError(f"a history has no form for the event {other}")


def _reply(envelope: dict[str, Any]) -> Any:
    if set(envelope) != {"result"}:
        raise ValueError(f"an operation of the dispatcher failed: {envelope}")
    return json.loads(envelope["result"]) if envelope["result"] else None


def _failure(event: Any) -> list[str]:
    return [event.failureDetails.errorType, event.failureDetails.errorMessage]


def _json(message: Any, field: str) -> Any:
    value = optional(message, field)
    return None if value is None else json.loads(value)
