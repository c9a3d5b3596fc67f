"""Calls and signals of orchestrations to the dispatcher, and their replay-safe time.

Decides the form of a call and how long to wait for its answer. Does not know why calls are made.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import UTC, timedelta
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from refresh.records import durable_names, swap
from refresh.records.durable_names import Operation

OUTCOME_EVENT = "outcome"
# The dispatcher answers within a second. An operation whose worker died is delivered again after a minute
# (`controlQueueVisibilityTimeout` in host.json).
ANSWER_TIMEOUT = timedelta(minutes=3)


class NoAnswer(Exception):
    """The dispatcher did not answer in time, or failed; the text names the operation and what to do."""

    def __init__(self, operation: Operation, why: str) -> None:
        """`why` completes "the dispatcher …"."""
        super().__init__(f"the dispatcher {why} (operation `{operation}`): POST /api/selfcheck shows which part hangs")
        self.operation = operation


def now(ctx: OrchestrationContext) -> str:
    """The orchestration's replay-safe time, ISO with zone (Durable's own is naive UTC)."""
    return ctx.current_utc_datetime.replace(tzinfo=UTC).isoformat()


def is_bounded(data: Mapping[str, Any]) -> bool:
    """Whether the orchestration with this input waits for the dispatcher's answers for a limited time.

    One that an older version of the app started does not: another timer would no longer match its history.
    """
    return bool(data.get(swap.BOUNDED))


def begin_call(ctx: OrchestrationContext, operation: Operation, **data: Any) -> Task[Any]:
    """Call the dispatcher; returns the task of its answer, for `answer_of`."""
    return ctx.call_entity(_dispatcher(), operation, {**data, "at": now(ctx)})


def answer_of(
    ctx: OrchestrationContext, call: Task[Any], operation: Operation, timeout: timedelta = ANSWER_TIMEOUT
) -> Generator[Task[Any], Any, Any]:
    """The answer of a call of `operation` that was begun. NoAnswer after `timeout`, or when the dispatcher failed.

    The timer is not cancelled when the answer comes first: an orchestration ends without waiting for its timers.
    """
    if not call.is_complete:
        yield when_any([call, ctx.create_timer(timeout)])
    if not call.is_complete:
        raise NoAnswer(operation, f"did not answer within {timeout.total_seconds():.0f} s")
    try:
        return call.get_result()
    except TaskFailedError as error:
        raise NoAnswer(operation, f"failed: {error!s:.200}") from error


def call_dispatcher(
    ctx: OrchestrationContext, operation: Operation, *, bounded: bool, timeout: timedelta = ANSWER_TIMEOUT, **data: Any
) -> Generator[Task[Any], Any, Any]:
    """Call the dispatcher and wait for its answer. With `bounded` NoAnswer as in `answer_of`."""
    call = begin_call(ctx, operation, **data)
    if not bounded:
        return (yield call)
    return (yield from answer_of(ctx, call, operation, timeout))


def signal_dispatcher(ctx: OrchestrationContext, operation: Operation, **data: Any) -> None:
    """Signal the dispatcher without waiting."""
    ctx.signal_entity(_dispatcher(), operation, {**data, "at": now(ctx)})


def _dispatcher() -> EntityInstanceId:
    return EntityInstanceId(durable_names.DISPATCHER, durable_names.DISPATCHER_KEY)
