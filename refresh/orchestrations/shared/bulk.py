"""Bulk work over many VMs: batches of 50, ten at once and two while VMs are down, one row for every VM.

Decides how work is divided: bulk work never delays the start of a stopped VM, and the failure of one batch never ends
the others. Does not know what the work is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import batched
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from refresh.domain.terms import names
from refresh.domain.terms.month_reason import MonthReason
from refresh.orchestrations.shared.cancellation import Cancellation
from refresh.records import durable_names, month, swap
from refresh.records.month import BatchInput, BulkInput

# A batch makes half a disk a second with four reads each; ARM allows 25 more reads a second for a subscription.
BATCHES_BESIDE_SWAPS = 2

type Rows = list[dict[str, Any]]
type Listener = Callable[[OrchestrationContext, Rows], None]


def period_of(ctx: OrchestrationContext, period: str | None) -> str:
    """The period of the input, else the month of the run."""
    return period or names.period_at(ctx.current_utc_datetime)


def bad_period(kind: str, period: str) -> dict[str, Any]:
    """The result of a run whose period is not a month."""
    return month.failure_of(kind, period[:20], "period must be a month written YYYYMM, such as 202611")


def work_through(
    ctx: OrchestrationContext, data: dict[str, Any], kind: str, activity: str, on_rows: Listener | None = None
) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Call `activity` for all VMs of a `MonthInput` and return the result of a run of `kind`.

    `on_rows` gets the rows of each finished batch. One history has at most 500 VMs.
    """
    bulk = BulkInput.from_json(data)
    cancel = Cancellation(ctx)
    period = period_of(ctx, bulk.period)
    if not names.is_period(period):
        return bad_period(kind, period)
    if bulk.rows is None:
        scope = yield ctx.call_activity(durable_names.READ_SCOPE, input={"vms": list(bulk.vms)})
        if scope.get("problem"):
            return month.failure_of(kind, period, scope["problem"])
        bulk = replace(
            bulk, period=period, vms=tuple(scope["vms"]), rows=tuple(month.unread_rows(scope.get("unread", ())))
        )
    chunk, rest = bulk.vms[: swap.VMS_PER_HISTORY], bulk.vms[swap.VMS_PER_HISTORY :]
    done: Rows = list(bulk.rows or ())
    done += yield from _run_batches(ctx, activity, BatchInput(chunk, period, bulk.force), cancel, on_rows)
    if cancel.is_asked():
        return cancel.closed(month.result_of(kind, period, {"vms": [*done, *map(_not_begun, rest)]}))
    if rest:
        ctx.continue_as_new(replace(bulk, vms=rest, rows=tuple(done)).to_json())
    return month.result_of(kind, period, {"vms": done})


def _run_batches(
    ctx: OrchestrationContext, activity: str, work: BatchInput, cancel: Cancellation, on_rows: Listener | None
) -> Generator[Task[Any], Any, Rows]:
    batches = [list(batch) for batch in batched(work.vms, swap.VMS_PER_BULK_ACTIVITY, strict=False)]
    found: dict[int, Rows] = {}
    running: dict[int, Task[Any]] = {}
    while len(found) < len(batches):
        begun = len(found) + len(running)
        if cancel.is_asked() and begun < len(batches):
            for number in range(begun, len(batches)):
                found[number] = [_not_begun(vm) for vm in batches[number]]
            continue
        if begun < len(batches):
            allowed = yield from _allowed_batches(ctx)
            for number in range(begun, min(begun + max(allowed - len(running), 0), len(batches))):
                batch = replace(work, vms=tuple(batches[number]))
                running[number] = ctx.call_activity(activity, input=batch.to_json())
        done = yield when_any(list(running.values()))
        number = next(number for number, task in running.items() if task == done)
        found[number] = yield from _rows_of(running.pop(number), batches[number])
        if on_rows is not None:
            on_rows(ctx, found[number])
    return [row for number in range(len(batches)) for row in found[number]]


def _not_begun(vm: str) -> dict[str, Any]:
    message = "the run was cancelled before the work on this VM began"
    return month.VmRow(vm, month.SKIP, MonthReason.CANCELLED, message).to_json()


def _allowed_batches(ctx: OrchestrationContext) -> Generator[Task[Any], Any, int]:
    """How many batches may be outstanding: few while VMs are down, because their swaps use the same ARM quota."""
    try:
        swaps = yield ctx.call_activity(durable_names.COUNT_SWAPS, input={})
    except TaskFailedError:
        return BATCHES_BESIDE_SWAPS
    return BATCHES_BESIDE_SWAPS if swaps["running"] else swap.BULK_ACTIVITIES_OUTSTANDING


def _rows_of(task: Task[Any], batch: Sequence[str]) -> Generator[Task[Any], Any, Rows]:
    try:
        answer = yield task
    except TaskFailedError as error:
        return month.broken_rows(batch, str(error))
    rows: Rows = answer["rows"]
    return rows
