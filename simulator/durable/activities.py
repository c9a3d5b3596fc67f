"""Activities: handed out in the order they were scheduled, at most so many at once, at least once.

Decides when an activity runs and when it runs again. Does not know what becomes of its result.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.clock import Clock
from simulator.durable.activity_results import as_kept
from simulator.durable.history import event, failure_details, text
from simulator.durable.limited_queue import Lane
from simulator.durable.message_delivery import Post
from simulator.durable.records import Deliver, RunActivity
from simulator.durable.worker import FunctionFailed, FunctionMissing, WorkerDied
from simulator.durable.worker_slot import Desk, redelivery_s


class Activities:
    """The work-item queue of activities."""

    def __init__(self, clock: Clock, desk: Desk, post: Post, *, limit: int, hidden_s: float) -> None:
        self._clock = clock
        self._desk = desk
        self._post = post
        self._hidden_s = hidden_s
        self.lane: Lane[RunActivity] = Lane(limit, self._run)

    def schedule(self, work: RunActivity) -> None:
        """Queue an activity."""
        self._desk.trace.note("activity", work.name, work.caller.instance_id, "scheduled", work.task_id)
        self.lane.put(work)

    async def _run(self, work: RunActivity) -> None:
        key = (work.name, work.caller.instance_id, work.task_id)
        self._desk.trace.note("activity", work.name, work.caller.instance_id, "dispatched", work.task_id)
        self._deliver_twice(work)
        begun_s = self._clock.time()
        try:
            self._desk.interruptions.before_activity(*key, work.attempt)
            result = await self._result(work)
            self._desk.interruptions.after_activity(*key, work.attempt)
        except (WorkerDied, asyncio.CancelledError) as death:
            self._desk.trace.note("activity", work.name, work.caller.instance_id, "lost", work.task_id)
            again = replace(work, attempt=work.attempt + 1)
            after_s = redelivery_s(death, self._hidden_s, self._clock.time() - begun_s)
            self._post.later(after_s, lambda: self.lane.put(again))
            if isinstance(death, asyncio.CancelledError):
                raise
            return
        self._desk.trace.note("activity", work.name, work.caller.instance_id, "completed", work.task_id)
        self._post.send([Deliver(work.caller, result, answers=work.task_id)])

    def _deliver_twice(self, work: RunActivity) -> None:
        if work.attempt > 1:
            return
        delay_s = self._desk.interruptions.second_delivery_s(work.name, work.caller.instance_id, work.task_id)
        if delay_s is not None:
            again = replace(work, attempt=2)
            self._post.later(delay_s, lambda: self.lane.put(again))

    async def _result(self, work: RunActivity) -> pb.HistoryEvent:
        try:
            output = as_kept(await self._desk.worker.act(work.name, work.input))
        except FunctionMissing:
            # The extension gives no details of it: type and message are empty for the orchestrator.
            return event(self._clock.now(), taskFailed=pb.TaskFailedEvent(taskScheduledId=work.task_id))
        except FunctionFailed as failure:
            details = failure_details(failure.error_type, failure.message, failure.stack_trace)
            failed = pb.TaskFailedEvent(taskScheduledId=work.task_id, failureDetails=details)
            return event(self._clock.now(), taskFailed=failed)
        completed = pb.TaskCompletedEvent(taskScheduledId=work.task_id, result=text(output))
        return event(self._clock.now(), taskCompleted=completed)
