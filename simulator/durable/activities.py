"""Runs activities in the order they were scheduled, up to a limit at once, each at least once.

Decides when an activity runs and when it runs again. Leaves the use of its result to `orchestrations`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable.activity_results import as_stored
from simulator.durable.history import event, failure_details, text
from simulator.durable.limited_queue import LimitedQueue
from simulator.durable.limits import Limits
from simulator.durable.message_delivery import MessageDelivery
from simulator.durable.records import Deliver, RunActivity
from simulator.durable.worker import FunctionFailed, FunctionMissing, WorkerDied
from simulator.durable.worker_slot import WorkerSlot, redelivery_s


class Activities:
    """The work-item queue of activities."""

    def __init__(self, clock: Clock, slot: WorkerSlot, delivery: MessageDelivery, limits: Limits) -> None:
        self._clock = clock
        self._slot = slot
        self._delivery = delivery
        self._hidden_s = limits.work_item_hidden_s
        self.queue: LimitedQueue[RunActivity] = LimitedQueue(limits.activities, self._run)

    def schedule(self, work: RunActivity) -> None:
        """Queue an activity."""
        self._slot.trace.note("activity", work.name, work.caller.instance_id, "scheduled", work.task_id)
        self.queue.put(work)

    async def _run(self, work: RunActivity) -> None:
        key = (work.name, work.caller.instance_id, work.task_id)
        self._slot.trace.note("activity", work.name, work.caller.instance_id, "dispatched", work.task_id)
        self._deliver_twice(work)
        begun_s = self._clock.time()
        try:
            self._slot.interruptions.before_activity(*key, work.attempt)
            result = await self._result(work)
            self._slot.interruptions.after_activity(*key, work.attempt)
        except (WorkerDied, asyncio.CancelledError) as loss:
            self._slot.trace.note("activity", work.name, work.caller.instance_id, "lost", work.task_id)
            again = replace(work, attempt=work.attempt + 1)
            after_s = redelivery_s(loss, self._hidden_s, self._clock.time() - begun_s)
            self._delivery.later(after_s, lambda: self.queue.put(again))
            if isinstance(loss, asyncio.CancelledError):
                raise
            return
        self._slot.trace.note("activity", work.name, work.caller.instance_id, "completed", work.task_id)
        self._delivery.send([Deliver(work.caller, result, answers=work.task_id)])

    def _deliver_twice(self, work: RunActivity) -> None:
        if work.attempt > 1:
            return
        delay_s = self._slot.interruptions.second_delivery_s(work.name, work.caller.instance_id, work.task_id)
        if delay_s is not None:
            again = replace(work, attempt=2)
            self._delivery.later(delay_s, lambda: self.queue.put(again))

    async def _result(self, work: RunActivity) -> pb.HistoryEvent:
        try:
            output = as_stored(await self._slot.worker.act(work.name, work.input))
        except FunctionMissing:
            # The extension sends no details: the orchestrator gets an empty type and message.
            return event(self._clock.now(), taskFailed=pb.TaskFailedEvent(taskScheduledId=work.task_id))
        except FunctionFailed as failure:
            details = failure_details(failure.error_type, failure.message, failure.stack_trace)
            failed = pb.TaskFailedEvent(taskScheduledId=work.task_id, failureDetails=details)
            return event(self._clock.now(), taskFailed=failed)
        completed = pb.TaskCompletedEvent(taskScheduledId=work.task_id, result=text(output))
        return event(self._clock.now(), taskCompleted=completed)
