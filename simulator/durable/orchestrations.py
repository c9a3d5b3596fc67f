"""Orchestration instances: how they start, take their turns, end, and are watched.

Decides when an orchestrator is called and what of its answer is kept. Refuses to know how messages travel (`Post`),
what the actions mean (`actions`) and how a function is run (`Worker`).

A turn is at least once: its answer counts from the moment it is kept. Until then the events it was given stay with
the hub and are given again if the worker dies.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Mapping

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable.actions import Answer, UnsupportedAction, execution_started, failed, interpret
from simulator.durable.desk import Desk
from simulator.durable.history import event, failure_details, optional, text
from simulator.durable.lane import Lane
from simulator.durable.post import Post
from simulator.durable.records import Deliver, Instance, StartOrchestration
from simulator.durable.worker import FunctionFailed, WorkerDied


class Orchestrations:
    """Every orchestration instance of the hub, by id."""

    def __init__(self, clock: Clock, desk: Desk, post: Post, limit: int) -> None:
        self._clock = clock
        self._desk = desk
        self._post = post
        self._instances: dict[str, Instance] = {}
        self._watchers: dict[str, list[asyncio.Future[None]]] = {}
        self.lane: Lane[str] = Lane(limit, self._turn)

    @property
    def instances(self) -> Mapping[str, Instance]:
        """The instances by id."""
        return self._instances

    def start(self, message: StartOrchestration) -> bool:
        """Start an instance; one that ended is replaced. False, and nothing happens, while that id still runs."""
        existing = self._instances.get(message.instance_id)
        if existing is not None and not existing.ended:
            return False
        now = self._clock.now()
        instance = Instance(
            message.instance_id,
            message.name,
            uuid.uuid4().hex,
            created_at=now,
            updated_at=now,
            input=message.input,
            version=message.version,
            parent=message.parent,
            tags=message.tags,
            scheduled_at=message.at,
        )
        self._instances[instance.id] = instance
        self._post.send([Deliver(instance.address, execution_started(instance, now), at=message.at)])
        return True

    def deliver(self, message: Deliver) -> None:
        """Put an event into an inbox. Events for executions that are gone are dropped."""
        instance = self._instances.get(message.to.instance_id)
        if instance is None or instance.ended or message.to.execution_id not in (None, instance.execution_id):
            return
        instance.inbox.append(message)
        instance.updated_at = self._clock.now()
        self._schedule(instance)

    def purge(self, instance_id: str) -> bool:
        """Forget an instance that ended. False if there is none or it has not ended."""
        instance = self._instances.get(instance_id)
        if instance is None or not instance.ended:
            return False
        del self._instances[instance_id]
        return True

    def forget(self) -> None:
        """Forget every instance; whoever watches one learns that it is not there."""
        self._instances.clear()
        for instance_id in list(self._watchers):
            self._tell_watchers(instance_id)

    async def watch(self, instance_id: str, until: Callable[[Instance], bool]) -> Instance | None:
        """Wait until an instance satisfies `until`; None at once if there is no such instance."""
        while (instance := self._instances.get(instance_id)) is not None and not until(instance):
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.setdefault(instance_id, []).append(changed)
            await changed
        return instance

    def _schedule(self, instance: Instance) -> None:
        if instance.turn == "idle" and instance.inbox:
            instance.turn = "queued"
            self._desk.trace.note("orchestrator", instance.name, instance.id, "scheduled")
            self.lane.put(instance.id)

    async def _turn(self, instance_id: str) -> None:
        instance = self._instances.get(instance_id)
        if instance is None or instance.turn != "queued":
            return
        taken = [message for message in instance.inbox if message.to.execution_id in (None, instance.execution_id)]
        instance.inbox.clear()
        instance.turn = "running" if taken else "idle"
        if not taken:
            return
        self._desk.trace.note("orchestrator", instance.name, instance.id, "dispatched")
        # Dates are whole microseconds and the clock is not: no turn may begin before the timer that wakes it.
        now = max([self._clock.now(), *(message.at for message in taken if message.at is not None)])
        started = event(now, orchestratorStarted=pb.OrchestratorStartedEvent())
        new_events = [started, *(message.event for message in taken)]
        try:
            self._desk.interruptions.before_orchestrator_turn(instance.name, instance.id, instance.attempt)
            answer = await self._ask(instance, new_events)
            self._interrupt(instance, answer)
        except (WorkerDied, asyncio.CancelledError) as death:
            self._give_back(instance, taken, self._desk.redelivery_s(death))
            if isinstance(death, asyncio.CancelledError):
                raise
            return
        self._keep(instance, new_events, answer)

    async def _ask(self, instance: Instance, new_events: list[pb.HistoryEvent]) -> Answer:
        request = instance.history.request(instance.id, instance.execution_id, new_events)
        try:
            response = pb.OrchestratorResponse.FromString(await self._desk.worker.orchestrate(instance.name, request))
            return interpret(instance, response, self._clock.now())
        except FunctionFailed as failure:
            details = failure_details(failure.error_type, failure.message, failure.stack_trace)
        except UnsupportedAction as reason:
            details = failure_details("UnsupportedAction", str(reason))
        return interpret(instance, failed(details), self._clock.now())

    def _interrupt(self, instance: Instance, answer: Answer) -> None:
        try:
            self._desk.interruptions.after_orchestrator_turn(instance.name, instance.id, instance.attempt)
        except WorkerDied as death:
            if death.sent:
                self._post.send(answer.messages)
            raise

    def _give_back(self, instance: Instance, taken: list[Deliver], after_s: float) -> None:
        self._desk.trace.note("orchestrator", instance.name, instance.id, "lost")
        instance.inbox.extendleft(reversed(taken))
        instance.attempt += 1

        def again() -> None:
            instance.turn = "idle"
            self._schedule(instance)

        self._post.later(after_s, again)

    def _keep(self, instance: Instance, new_events: list[pb.HistoryEvent], answer: Answer) -> None:
        now = self._clock.now()
        instance.attempt = 1
        instance.updated_at = now
        instance.custom_status = answer.custom_status
        instance.status = _status(new_events, instance.status)
        self._desk.trace.note("orchestrator", instance.name, instance.id, "completed")
        # Sent before the history is replaced: what an execution sends carries that execution's id.
        self._post.send(answer.messages)
        bookend = event(now, orchestratorCompleted=pb.OrchestratorCompletedEvent())
        instance.history.extend([*new_events, *answer.events, bookend])
        if answer.completion is not None and answer.continued_as_new:
            self._continue_as_new(instance, answer.completion)
        elif answer.completion is not None:
            self._end(instance, answer.completion)
        instance.turn = "idle"
        self._schedule(instance)
        self._tell_watchers(instance.id)

    def _tell_watchers(self, instance_id: str) -> None:
        for watcher in self._watchers.pop(instance_id, []):
            if not watcher.done():
                watcher.set_result(None)

    def _end(self, instance: Instance, completion: pb.CompleteOrchestrationAction) -> None:
        instance.status = completion.orchestrationStatus
        instance.output = optional(completion, "result")
        instance.failure = completion.failureDetails if completion.HasField("failureDetails") else None
        instance.completed_at = self._clock.now()
        instance.inbox.clear()
        completed = pb.ExecutionCompletedEvent(
            orchestrationStatus=instance.status, result=text(instance.output), failureDetails=instance.failure
        )
        instance.history.extend([event(instance.completed_at, executionCompleted=completed)])

    def _continue_as_new(self, instance: Instance, completion: pb.CompleteOrchestrationAction) -> None:
        now = self._clock.now()
        instance.execution_id = uuid.uuid4().hex
        # The Azure Storage provider writes the creation time again with every execution that starts.
        # https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Tracking/AzureTableTrackingStore.cs
        instance.created_at = now
        instance.input = optional(completion, "result")
        instance.version = optional(completion, "newVersion") or instance.version
        instance.history = type(instance.history)()
        started = execution_started(instance, now)
        carried = [Deliver(instance.address, kept) for kept in (started, *completion.carryoverEvents)]
        instance.inbox = deque([*carried, *(left for left in instance.inbox if left.to.execution_id is None)])


def _status(new_events: list[pb.HistoryEvent], status: pb.OrchestrationStatus) -> pb.OrchestrationStatus:
    if status == pb.ORCHESTRATION_STATUS_PENDING:
        status = pb.ORCHESTRATION_STATUS_RUNNING
    for new in new_events:
        if new.HasField("executionSuspended"):
            status = pb.ORCHESTRATION_STATUS_SUSPENDED
        elif new.HasField("executionResumed"):
            status = pb.ORCHESTRATION_STATUS_RUNNING
    return status
