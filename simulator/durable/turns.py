"""Runs one turn of an orchestration: calls the worker, and again for each execution that continues as new at once.

Decides the result of one turn. Changes nothing: a turn whose worker dies leaves the instance as it was.

Executions that follow each other by continue-as-new belong to one turn, as in the engine: nothing of the first is
stored before the last one waits or ends.
https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/TaskOrchestrationDispatcher.cs
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.actions import Answer, StatusTooLarge, UnsupportedAction, execution_started, failed, interpret
from simulator.durable.history import History, event, optional
from simulator.durable.records import Instance, Message
from simulator.durable.worker import FunctionFailed, FunctionMissing, Worker


@dataclass
class Turn:
    """The result of a turn: the execution it ends in, that execution's events, and the messages of all executions."""

    execution: Instance
    new_events: list[pb.HistoryEvent]
    events: list[pb.HistoryEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    requested: list[int | str] = field(default_factory=list)
    custom_status: str | None = None
    completion: pb.CompleteOrchestrationAction | None = None


async def run_turn(instance: Instance, happened: Iterable[pb.HistoryEvent], now: datetime, worker: Worker) -> Turn:
    """Run `instance` with the events since its last turn. Raises WorkerDied when the worker dies."""
    started = event(now, orchestratorStarted=pb.OrchestratorStartedEvent())
    turn = Turn(instance, [started, *happened])
    while True:
        answer = await _call_worker(turn.execution, turn.new_events, now, worker)
        turn.messages += answer.messages
        if not answer.continued_as_new or answer.completion is None:
            turn.events, turn.requested, turn.completion = answer.events, answer.requested, answer.completion
            # A custom status set before the orchestration continued as new stays until a later turn sets another.
            turn.custom_status = answer.custom_status or turn.custom_status
            return turn
        turn.custom_status = answer.custom_status
        turn.execution = _next_execution(turn.execution, answer.completion, now)
        turn.new_events = [
            event(now, orchestratorStarted=pb.OrchestratorStartedEvent()),
            execution_started(turn.execution, now),
            *answer.completion.carryoverEvents,
            event(now, orchestratorCompleted=pb.OrchestratorCompletedEvent()),
        ]


def _next_execution(instance: Instance, completion: pb.CompleteOrchestrationAction, now: datetime) -> Instance:
    # The Azure Storage provider writes the creation time again with every new execution.
    # https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Tracking/AzureTableTrackingStore.cs
    return replace(
        instance,
        execution_id=uuid.uuid4().hex,
        created_at=now,
        input=optional(completion, "result"),
        version=optional(completion, "newVersion") or instance.version,
        history=History(),
        inbox=deque(),
    )


async def _call_worker(instance: Instance, new_events: list[pb.HistoryEvent], now: datetime, worker: Worker) -> Answer:
    request = instance.history.request(instance.id, instance.execution_id, new_events)
    try:
        response = pb.OrchestratorResponse.FromString(await worker.orchestrate(instance.name, request))
        return interpret(instance, response, now)
    except FunctionMissing as missing:
        answer = failed(missing.message, None)
    except FunctionFailed as failure:
        answer = failed(_unhandled(instance), str(failure))
    except (StatusTooLarge, UnsupportedAction) as reason:
        answer = failed(_unhandled(instance), str(reason))
    return interpret(instance, answer, now)


def _unhandled(instance: Instance) -> str:
    return f"Function '{instance.name}' failed with an unhandled exception."
