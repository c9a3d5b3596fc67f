"""Orchestration instances: how they start, take their turns, end, and are watched.

Decides when an orchestrator is called and what of its answer is kept. Does not know how messages travel (`Post`), what
the actions mean (`actions`) and how a function is run (`Worker`).

A turn is at least once: its answer counts from the moment it is kept. Until then the events it was given stay with
the hub and are given again if the worker dies.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable.actions import execution_started, output_of
from simulator.durable.history import event, optional
from simulator.durable.limited_queue import Lane
from simulator.durable.message_delivery import Post
from simulator.durable.records import Deliver, Instance, StartOrchestration
from simulator.durable.turns import Turn, take_turn
from simulator.durable.worker import WorkerDied
from simulator.durable.worker_slot import Desk, redelivery_s

# What the Azure Storage provider stores for a custom status that the orchestrator did not set.
# https://github.com/Azure/durabletask/issues/477
_NO_STATUS = "null"
# An answer whose request never gets into the history, after a quarter of an hour; the engine goes on for a week.
_MOST_TRIES = 9


class Orchestrations:
    """Every orchestration instance of the hub, by id."""

    def __init__(self, clock: Clock, desk: Desk, post: Post, *, limit: int, hidden_s: float) -> None:
        self._clock = clock
        self._desk = desk
        self._post = post
        self._hidden_s = hidden_s
        self._instances: dict[str, Instance] = {}
        self._watchers: dict[str, list[asyncio.Future[None]]] = {}
        self.lane: Lane[str] = Lane(limit, self._turn)

    @property
    def instances(self) -> Mapping[str, Instance]:
        """The instances by id."""
        return self._instances

    def start(self, message: StartOrchestration) -> bool:
        """Start an instance for a client; one that ended is replaced. False, and nothing happens, while the id runs."""
        existing = self._instances.get(message.instance_id)
        if existing is not None and not existing.ended:
            return False
        self.replace(message)
        return True

    def replace(self, message: StartOrchestration) -> None:
        """Start an instance for an orchestration or an entity, in place of any that has the id, running or not.

        What the old execution has under way goes on, and its results are dropped: the extension guards the ids of
        clients' starts only. https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/OrchestrationSessionManager.cs
        """
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
        if not _never_begins(message):
            self._post.send([Deliver(instance.address, execution_started(instance, now), at=message.at)])
        self._tell_watchers(instance.id)

    def deliver(self, message: Deliver) -> None:
        """Put an event into an inbox. Events for executions that are gone are dropped."""
        instance = self._instances.get(message.to.instance_id)
        if instance is None or instance.ended or message.to.execution_id not in (None, instance.execution_id):
            return
        if not instance.begun and not message.event.HasField("executionStarted"):
            # A start for later: what is sent before it finds no history and is dropped; an end calls it off.
            if message.event.HasField("executionTerminated"):
                self._end_before_begun(instance, message.event)
            return
        if message.answers is not None and message.answers not in instance.asked:
            self._put_off(message)
            return
        instance.inbox.append(message)
        self._schedule(instance)

    def _put_off(self, message: Deliver) -> None:
        # An answer that comes before the history has its request is put back into the queue, each time for longer.
        # https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Messaging/OrchestrationSession.cs
        if message.tries < _MOST_TRIES:
            again = replace(message, tries=message.tries + 1)
            self._post.later(2.0**again.tries, partial(self.deliver, again))

    def purge(self, instance_id: str) -> bool:
        """Forget an instance, whatever it does. False if there is none."""
        return self._instances.pop(instance_id, None) is not None

    def forget(self) -> None:
        """Forget every instance; what watches one learns that it is not there."""
        self._instances.clear()
        for instance_id in list(self._watchers):
            self._tell_watchers(instance_id)

    async def watch(self, instance_id: str, until: Callable[[Instance], bool]) -> Instance | None:
        """Wait until an instance satisfies `until`; None at once if there is no such instance."""
        while (instance := self._instances.get(instance_id)) is not None and not until(instance):
            await self._change(instance_id)
        return instance

    async def wait_for(self, instance_id: str, until: Callable[[Instance], bool]) -> Instance:
        """Wait until there is an instance that satisfies `until`, however long that takes."""
        while (instance := await self.watch(instance_id, until)) is None:
            await self._change(instance_id)
        return instance

    def _change(self, instance_id: str) -> asyncio.Future[None]:
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.setdefault(instance_id, []).append(changed)
        return changed

    def _schedule(self, instance: Instance) -> None:
        if instance.turn == "idle" and instance.inbox and instance.begun:
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
        turn = Turn(instance, [])
        try:
            self._desk.interruptions.before_orchestrator_turn(instance.name, instance.id, instance.attempt)
            turn = await take_turn(instance, [message.event for message in taken], now, self._desk.worker)
            self._interrupt(instance, turn)
        except (WorkerDied, asyncio.CancelledError) as death:
            if isinstance(death, WorkerDied) and death.torn:
                instance.torn |= instance.parent is not None and not instance.history
                self._keep(instance, turn)
                return
            self._give_back(instance, taken, redelivery_s(death, self._hidden_s))
            if isinstance(death, asyncio.CancelledError):
                raise
            return
        self._keep(instance, turn)

    def _interrupt(self, instance: Instance, turn: Turn) -> None:
        try:
            self._desk.interruptions.after_orchestrator_turn(instance.name, instance.id, instance.attempt)
        except WorkerDied as death:
            if death.sent:
                self._post.send(turn.messages)
            raise

    def _give_back(self, instance: Instance, taken: list[Deliver], after_s: float) -> None:
        self._desk.trace.note("orchestrator", instance.name, instance.id, "lost")
        instance.inbox.extendleft(reversed(taken))
        instance.attempt += 1

        def again() -> None:
            instance.turn = "idle"
            self._schedule(instance)

        self._post.later(after_s, again)

    def _keep(self, instance: Instance, turn: Turn) -> None:
        self._desk.trace.note("orchestrator", instance.name, instance.id, "completed")
        if self._instances.get(instance.id) is not instance:
            # Replaced or purged meanwhile: what it sends is sent, its state belongs to nothing.
            self._post.send(turn.messages)
            return
        now = self._clock.now()
        instance.attempt = 1
        instance.updated_at = now
        instance.custom_status = turn.custom_status or _NO_STATUS
        _follow(instance, turn.new_events)
        if turn.execution is not instance:
            # Only what was sent to no particular execution outlives the one that it reached.
            left = deque(message for message in instance.inbox if message.to.execution_id is None)
            instance.go_on_as(turn.execution)
            instance.inbox = left
        bookend = event(now, orchestratorCompleted=pb.OrchestratorCompletedEvent())
        instance.history.extend([*turn.new_events, *turn.events, bookend])
        instance.asked.update(turn.asked)
        if turn.completion is not None:
            self._end(instance, turn.completion)
        # Sent once the execution that sends is the instance's own: what answers at once must find it.
        self._post.send(turn.messages)
        instance.turn = "idle"
        self._schedule(instance)
        self._tell_watchers(instance.id)

    def _tell_watchers(self, instance_id: str) -> None:
        for watcher in self._watchers.pop(instance_id, []):
            if not watcher.done():
                watcher.set_result(None)

    def _end(self, instance: Instance, completion: pb.CompleteOrchestrationAction) -> None:
        instance.status = completion.orchestrationStatus
        instance.output = output_of(completion)
        instance.failure = completion.failureDetails if completion.HasField("failureDetails") else None
        instance.completed_at = self._clock.now()
        instance.inbox.clear()

    def _end_before_begun(self, instance: Instance, terminated: pb.HistoryEvent) -> None:
        # A start for later is called off without a turn.
        instance.status = pb.ORCHESTRATION_STATUS_TERMINATED
        instance.output = optional(terminated.executionTerminated, "input")
        instance.updated_at = instance.completed_at = self._clock.now()
        self._tell_watchers(instance.id)


def _never_begins(message: StartOrchestration) -> bool:
    # Without a defaultVersion in host.json the extension runs no orchestration that has a version, and it takes an id
    # that begins with @ for an entity.
    return bool(message.version) or message.instance_id.startswith("@")


def _follow(instance: Instance, new_events: list[pb.HistoryEvent]) -> None:
    """Set an instance's status by what happened; a reason to suspend or resume is kept as its output."""
    if instance.status == pb.ORCHESTRATION_STATUS_PENDING:
        instance.status = pb.ORCHESTRATION_STATUS_RUNNING
    for new in new_events:
        if new.HasField("executionSuspended"):
            instance.status = pb.ORCHESTRATION_STATUS_SUSPENDED
            instance.output = optional(new.executionSuspended, "input")
        elif new.HasField("executionResumed"):
            instance.status = pb.ORCHESTRATION_STATUS_RUNNING
            instance.output = optional(new.executionResumed, "input")
