"""Orchestration instances: their start, their turns, their end, and how callers wait for them.

Decides when an orchestrator is called and which part of its response is stored. Leaves delivery to `message_delivery`,
the meaning of actions to `actions`, and the run of a function to `Worker`.

A turn is one execution of an orchestrator's code over its new events. It runs at least once: until its result is
stored, the hub keeps the events it was given and gives them again if the worker dies.
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
from simulator.durable.limited_queue import LimitedQueue
from simulator.durable.limits import Limits
from simulator.durable.message_delivery import MessageDelivery
from simulator.durable.records import Deliver, Instance, StartOrchestration
from simulator.durable.turns import Turn, run_turn
from simulator.durable.worker import WorkerDied
from simulator.durable.worker_slot import WorkerSlot, redelivery_s

# The Azure Storage provider stores this text for a custom status that the orchestrator did not set.
# https://github.com/Azure/durabletask/issues/477
_NO_STATUS = "null"
# After so many tries (17 minutes) an answer whose request is not in the history is dropped; the engine tries a week.
_MAX_TRIES = 9


class Orchestrations:
    """Every orchestration instance of the hub, by id."""

    def __init__(self, clock: Clock, slot: WorkerSlot, delivery: MessageDelivery, limits: Limits) -> None:
        self._clock = clock
        self._slot = slot
        self._delivery = delivery
        self._hidden_s = limits.control_hidden_s
        self._instances: dict[str, Instance] = {}
        self._watchers: dict[str, list[asyncio.Future[None]]] = {}
        self.queue: LimitedQueue[str] = LimitedQueue(limits.orchestrators, self._run_turn)

    @property
    def instances(self) -> Mapping[str, Instance]:
        """The instances by id."""
        return self._instances

    def start(self, message: StartOrchestration) -> bool:
        """Start an instance for a client; replaces one that ended. False, without any effect, while the id runs."""
        existing = self._instances.get(message.instance_id)
        if existing is not None and not existing.ended:
            return False
        self.replace(message)
        return True

    def replace(self, message: StartOrchestration) -> None:
        """Start an instance for an orchestration or an entity; replaces an instance with that id, running or not.

        Work of the old execution continues and its results are dropped: the extension checks ids only when a client
        starts an instance. https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/OrchestrationSessionManager.cs
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
        if not _never_runs(message):
            self._delivery.send([Deliver(instance.address, execution_started(instance, now), at=message.at)])
        self._wake_watchers(instance.id)

    def deliver(self, message: Deliver) -> None:
        """Put an event into an inbox. Events for executions that no longer exist are dropped."""
        instance = self._instances.get(message.to.instance_id)
        if instance is None or instance.ended or message.to.execution_id not in (None, instance.execution_id):
            return
        if not instance.begun and not message.event.HasField("executionStarted"):
            # The start is scheduled for later: earlier events find no history and are dropped, except a termination.
            if message.event.HasField("executionTerminated"):
                self._terminate_before_start(instance, message.event)
            return
        if message.answers is not None and message.answers not in instance.requested:
            self._retry_later(message)
            return
        instance.inbox.append(message)
        self._schedule(instance)

    def _retry_later(self, message: Deliver) -> None:
        # An answer that arrives before its request is in the history is queued again, with a growing delay.
        # https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Messaging/OrchestrationSession.cs
        if message.tries < _MAX_TRIES:
            again = replace(message, tries=message.tries + 1)
            self._delivery.later(2.0**again.tries, partial(self.deliver, again))

    def purge(self, instance_id: str) -> bool:
        """Delete an instance, running or not. False if there is none."""
        return self._instances.pop(instance_id, None) is not None

    def clear(self) -> None:
        """Delete every instance and wake the callers that wait for one."""
        self._instances.clear()
        for instance_id in list(self._watchers):
            self._wake_watchers(instance_id)

    async def watch(self, instance_id: str, until: Callable[[Instance], bool]) -> Instance | None:
        """Wait until an instance satisfies `until`; returns None as soon as there is no such instance."""
        while (instance := self._instances.get(instance_id)) is not None and not until(instance):
            await self._change(instance_id)
        return instance

    async def wait_for(self, instance_id: str, until: Callable[[Instance], bool]) -> Instance:
        """Wait until there is an instance that satisfies `until`, without a time limit."""
        while (instance := await self.watch(instance_id, until)) is None:
            await self._change(instance_id)
        return instance

    def _change(self, instance_id: str) -> asyncio.Future[None]:
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.setdefault(instance_id, []).append(changed)
        return changed

    def _schedule(self, instance: Instance) -> None:
        if instance.run_state == "idle" and instance.inbox and instance.begun:
            instance.run_state = "queued"
            self._slot.trace.note("orchestrator", instance.name, instance.id, "scheduled")
            self.queue.put(instance.id)

    async def _run_turn(self, instance_id: str) -> None:
        instance = self._instances.get(instance_id)
        if instance is None or instance.run_state != "queued":
            return
        taken = [message for message in instance.inbox if message.to.execution_id in (None, instance.execution_id)]
        instance.inbox.clear()
        instance.run_state = "running" if taken else "idle"
        if not taken:
            return
        self._slot.trace.note("orchestrator", instance.name, instance.id, "dispatched")
        # Dates are whole microseconds, the clock is finer: a turn must not begin before the timer that wakes it.
        now = max([self._clock.now(), *(message.at for message in taken if message.at is not None)])
        turn = Turn(instance, [])
        try:
            self._slot.interruptions.before_orchestrator_turn(instance.name, instance.id, instance.attempt)
            turn = await run_turn(instance, [message.event for message in taken], now, self._slot.worker)
            self._interrupt(instance, turn)
        except (WorkerDied, asyncio.CancelledError) as loss:
            if isinstance(loss, WorkerDied) and loss.torn:
                instance.torn |= instance.parent is not None and not instance.history
                self._store(instance, turn)
                return
            self._requeue(instance, taken, redelivery_s(loss, self._hidden_s))
            if isinstance(loss, asyncio.CancelledError):
                raise
            return
        self._store(instance, turn)

    def _interrupt(self, instance: Instance, turn: Turn) -> None:
        try:
            self._slot.interruptions.after_orchestrator_turn(instance.name, instance.id, instance.attempt)
        except WorkerDied as loss:
            if loss.sent:
                self._delivery.send(turn.messages)
            raise

    def _requeue(self, instance: Instance, taken: list[Deliver], after_s: float) -> None:
        self._slot.trace.note("orchestrator", instance.name, instance.id, "lost")
        instance.inbox.extendleft(reversed(taken))
        instance.attempt += 1

        def again() -> None:
            instance.run_state = "idle"
            self._schedule(instance)

        self._delivery.later(after_s, again)

    def _store(self, instance: Instance, turn: Turn) -> None:
        self._slot.trace.note("orchestrator", instance.name, instance.id, "completed")
        if self._instances.get(instance.id) is not instance:
            # Replaced or purged in the meantime: its messages are sent, its state is dropped.
            self._delivery.send(turn.messages)
            return
        now = self._clock.now()
        instance.attempt = 1
        instance.updated_at = now
        instance.custom_status = turn.custom_status or _NO_STATUS
        _update_status(instance, turn.new_events)
        if turn.execution is not instance:
            # Messages addressed to the old execution are dropped; those addressed to any execution stay.
            remaining = deque(message for message in instance.inbox if message.to.execution_id is None)
            instance.continue_as(turn.execution)
            instance.inbox = remaining
        completed = event(now, orchestratorCompleted=pb.OrchestratorCompletedEvent())
        instance.history.extend([*turn.new_events, *turn.events, completed])
        instance.requested.update(turn.requested)
        if turn.completion is not None:
            self._end(instance, turn.completion)
        # Sent only after the instance has the new execution: an immediate answer must find it.
        self._delivery.send(turn.messages)
        instance.run_state = "idle"
        self._schedule(instance)
        self._wake_watchers(instance.id)

    def _wake_watchers(self, instance_id: str) -> None:
        for watcher in self._watchers.pop(instance_id, []):
            if not watcher.done():
                watcher.set_result(None)

    def _end(self, instance: Instance, completion: pb.CompleteOrchestrationAction) -> None:
        instance.status = completion.orchestrationStatus
        instance.output = output_of(completion)
        instance.failure = completion.failureDetails if completion.HasField("failureDetails") else None
        instance.completed_at = self._clock.now()
        instance.inbox.clear()

    def _terminate_before_start(self, instance: Instance, terminated: pb.HistoryEvent) -> None:
        # An instance whose start is scheduled for later is terminated without a turn.
        instance.status = pb.ORCHESTRATION_STATUS_TERMINATED
        instance.output = optional(terminated.executionTerminated, "input")
        instance.updated_at = instance.completed_at = self._clock.now()
        self._wake_watchers(instance.id)


def _never_runs(message: StartOrchestration) -> bool:
    # Without a defaultVersion in host.json the extension runs no orchestration that has a version. An id that begins
    # with @ is an entity to it.
    return bool(message.version) or message.instance_id.startswith("@")


def _update_status(instance: Instance, new_events: list[pb.HistoryEvent]) -> None:
    """Set an instance's status from its new events; the reason of a suspend or resume becomes its output."""
    if instance.status == pb.ORCHESTRATION_STATUS_PENDING:
        instance.status = pb.ORCHESTRATION_STATUS_RUNNING
    for new in new_events:
        if new.HasField("executionSuspended"):
            instance.status = pb.ORCHESTRATION_STATUS_SUSPENDED
            instance.output = optional(new.executionSuspended, "input")
        elif new.HasField("executionResumed"):
            instance.status = pb.ORCHESTRATION_STATUS_RUNNING
            instance.output = optional(new.executionResumed, "input")
