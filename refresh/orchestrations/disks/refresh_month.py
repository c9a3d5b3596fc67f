"""A month: images, then disks, and with rollout `auto` tags and swaps. A failed step never stops the next one.

Decides the order and how the steps' rows are combined. Every step is an orchestration that can also run alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace
from itertools import batched
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from refresh.domain.terms import names
from refresh.domain.terms.month_reason import MonthReason
from refresh.orchestrations.shared.bulk import bad_period, period_of
from refresh.orchestrations.shared.cancellation import Cancellation
from refresh.orchestrations.shared.dispatcher_calls import now
from refresh.orchestrations.shared.notices import publish
from refresh.orchestrations.swap.swap_vms import overall_status
from refresh.records import durable_names, month, swap
from refresh.records.events import month_event
from refresh.records.month import MonthInput
from refresh.records.swap_request import SwapRequest

type Result = dict[str, Any]


def refresh_month(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, Result]:
    """Run the month of a `MonthInput`; the result lists every definition and every VM with its result."""
    try:
        result = yield from _do_month(ctx, data)
    except TaskFailedError as error:
        broken = month.failure_of("month", str(data.get("period") or ""), f"the month broke off: {error}")
        yield from publish(ctx, month_event(ctx.instance_id, broken, now(ctx)))
        raise
    yield from publish(ctx, month_event(ctx.instance_id, result, now(ctx)))
    return result


def _do_month(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, Result]:
    request = MonthInput.from_json(data)
    period = period_of(ctx, request.period)
    if not names.is_period(period):
        return bad_period("month", period)
    cancel = Cancellation(ctx)
    scope = yield ctx.call_activity(durable_names.READ_SCOPE, input={"vms": list(request.vms)})
    # VMs that a person named, not those of the whole scope: only the definitions that they use are built.
    images = yield from _step(
        ctx, "images", durable_names.CREATE_IMAGES, period, replace(request, period=period), cancel
    )
    if scope.get("problem"):
        return month.failure_of("month", period, scope["problem"]) | {"images": images.get("images", []), "vms": []}
    request = replace(request, period=period, vms=tuple(scope["vms"]))
    unread = month.unread_rows(scope.get("unread", ()))
    missing = [month.result_of("scope", period, {"vms": unread})] if unread else []
    if not request.vms or cancel.is_asked():
        return cancel.closed(_combine(period, images, missing))
    steps = [(yield from _step(ctx, "disks", durable_names.CREATE_DISKS, period, request, cancel))]
    if (request.rollout or scope["rollout"]) == month.AUTO:
        for chunk in batched(_with_disk(steps[0]), swap.VMS_PER_HISTORY, strict=False):
            if cancel.is_asked():
                break
            steps += yield from _roll_out(ctx, period, replace(request, vms=chunk), cancel)
    return cancel.closed(_combine(period, images, [*steps, *missing]))


def _roll_out(
    ctx: OrchestrationContext, period: str, request: MonthInput, cancel: Cancellation
) -> Generator[Task[Any], Any, list[Result]]:
    """Write the tags of these VMs and wait for every outcome.

    Swaps begin while tags are still being written, so outcomes count from the time before the first tag.
    """
    since = now(ctx)
    tagged = yield from _step(ctx, "tags", durable_names.WRITE_TAGS, period, request, cancel)
    ready = _ready(tagged)
    if not ready:
        return [tagged]
    swaps = SwapRequest(ready, force=request.force, since=since, paced=True)
    cancel.written = {row["vm"].lower(): row.get("wanted") or row.get("next") for row in tagged.get("vms", [])}
    if cancel.is_asked():  # the tags are written: the swaps that have not begun are taken back
        swaps = replace(swaps, cancelled={**cancel.data, "written": cancel.written})
    return [tagged, (yield from _step(ctx, "swaps", durable_names.SWAP_VMS, period, swaps, cancel))]


def _step(
    ctx: OrchestrationContext,
    kind: str,
    name: str,
    period: str,
    request: MonthInput | SwapRequest,
    cancel: Cancellation,
) -> Generator[Task[Any], Any, Result]:
    instance_id = month.child_id(kind, period, ctx.new_uuid())
    child: Task[Any] = ctx.call_sub_orchestrator(name, input=request.to_json(), instance_id=instance_id)
    try:
        if not cancel.is_asked():
            yield when_any([child, cancel.task])
            if cancel.is_asked() and not child.is_complete:
                ctx.send_event(instance_id, month.CANCEL_EVENT, data={**cancel.data, "written": cancel.written})
        result = yield child
    except TaskFailedError as error:
        return month.failure_of(kind, period, f"the step broke off: {error}") | {
            "vms": month.broken_rows(request.vms, str(error))
        }
    return dict(result)


def _with_disk(disks: Result) -> tuple[str, ...]:
    """The VMs that have their month's disk; the rows of the disks step have the reason for the others."""
    has = (MonthReason.MADE, MonthReason.KEPT)
    return tuple(row["vm"] for row in disks.get("vms", []) if row["reason"] in has)


def _ready(tagged: Result) -> tuple[str, ...]:
    """The VMs whose tag names their month's disk now."""
    return tuple(
        row["vm"]
        for row in tagged.get("vms", [])
        if row["decision"] == month.CREATE or row["reason"] == MonthReason.ALREADY_TAGGED
    )


def _combine(period: str, images: Result, steps: Iterable[Result]) -> Result:
    """One result of all steps: a later step's row about a VM replaces the fields of an earlier one."""
    rows: dict[str, dict[str, Any]] = {}
    results = [images, *steps]
    for result in results[1:]:
        for row in result.get("vms", []):
            key = row["vm"].lower()
            known = rows.get(key, {})
            if "status" in row:
                # The row of a swap has its own disks before and after.
                known = {name: value for name, value in known.items() if name not in ("current", "next")}
            rows[key] = known | row
    problems = [f"{result['kind']}: {result['message']}" for result in results if result.get("message")]
    combined: Result = {
        "kind": "month",
        "period": period,
        "status": overall_status(results),
        "images": images.get("images", []),
        "vms": list(rows.values()),
    }
    return combined | ({"message": "; ".join(problems)[:300]} if problems else {})
