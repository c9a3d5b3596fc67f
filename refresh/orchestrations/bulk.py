"""Bulk work over many VMs: batches of 50, ten at once, a fresh history every 500, one row for every VM.

Decides how work is cut up so that nobody's start waits behind it and one batch's end never ends the others. Refuses to
know what the work is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import batched
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh import messages
from refresh import month_messages as month
from refresh.domain import naming
from refresh.month_messages import BatchInput, BulkInput

type Rows = list[dict[str, Any]]
type Listener = Callable[[OrchestrationContext, Rows], None]


def period_of(ctx: OrchestrationContext, asked: str | None) -> str:
    """The period asked for, else the one the run falls in."""
    return asked or naming.period_at(ctx.current_utc_datetime)


def bad_period(kind: str, period: str) -> dict[str, Any]:
    """The result of a run whose period is none."""
    return month.failure_of(kind, period[:20], "period must be a month written YYYYMM, such as 202611")


def work_through(
    ctx: OrchestrationContext, data: dict[str, Any], kind: str, activity: str, on_rows: Listener | None = None
) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Have `activity` deal with every VM of a `MonthInput` and answer the result of a run of `kind`.

    `on_rows` is told the rows of each finished batch. At most 500 VMs are dealt with in one history.
    """
    bulk = BulkInput.from_json(data)
    period = period_of(ctx, bulk.period)
    if not naming.is_period(period):
        return bad_period(kind, period)
    if bulk.rows is None:
        scope = yield ctx.call_activity(month.READ_SCOPE, input={"vms": list(bulk.vms)})
        if scope.get("problem"):
            return month.failure_of(kind, period, scope["problem"])
        bulk = replace(bulk, period=period, vms=tuple(scope["vms"]), rows=())
    chunk, rest = bulk.vms[: messages.VMS_PER_HISTORY], bulk.vms[messages.VMS_PER_HISTORY :]
    done: Rows = list(bulk.rows or ())
    done += yield from _run_batches(ctx, activity, BatchInput(chunk, period, bulk.force), on_rows)
    if rest:
        ctx.continue_as_new(replace(bulk, vms=rest, rows=tuple(done)).to_json())
    return month.result_of(kind, period, {"vms": done})


def _run_batches(
    ctx: OrchestrationContext, activity: str, work: BatchInput, on_rows: Listener | None
) -> Generator[Task[Any], Any, Rows]:
    # 500 VMs are ten batches: all of them may be outstanding, and none is begun that has to wait for another.
    batches = [list(batch) for batch in batched(work.vms, messages.VMS_PER_BULK_ACTIVITY, strict=False)]
    tasks: list[Task[Any]] = [
        ctx.call_activity(activity, input=replace(work, vms=tuple(batch)).to_json()) for batch in batches
    ]
    found: Rows = []
    for task, batch in zip(tasks, batches, strict=True):
        rows = yield from _rows_of(task, batch)
        if on_rows is not None:
            on_rows(ctx, rows)
        found += rows
    return found


def _rows_of(task: Task[Any], batch: Sequence[str]) -> Generator[Task[Any], Any, Rows]:
    try:
        answer = yield task
    except TaskFailedError as error:
        return month.broken_rows(batch, str(error))
    rows: Rows = answer["rows"]
    return rows
