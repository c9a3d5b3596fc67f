"""Runs every part of the platform once, in the place where swaps will need it: activity, timer, claim, entity to
orchestration, and for each subscription ARM and the app's rights.

Decides the order and how long an answer is waited for; a part that does not answer is a failed check, not a hanging
run, except timers: when they do not fire nothing else can be told. Changes nothing in Azure. The dispatcher keeps the
result, and where `REFRESH_SELFCHECK` asks for it admits nobody before it has passed.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from refresh import messages
from refresh import selfcheck_messages as selfchecks
from refresh.orchestrations.calls import begin_ask, tell
from refresh.selfcheck_messages import CheckRow

PATIENCE = timedelta(minutes=5)
_TICK = timedelta(seconds=1)
_LOG = "look into the app's log and the task hub (docs/operations.md), and ask again"

type Step[T] = Generator[Task[Any], Any, T]


def selfcheck(ctx: OrchestrationContext, data: dict[str, Any]) -> Step[dict[str, Any]]:
    """`{}` to `{"kind", "status", "package", "bundle", "ok", "run", "checks"}`, one row for every check."""
    began = ctx.current_utc_datetime
    here, problem = yield from _answer(ctx, ctx.call_activity(selfchecks.BEGIN_SELFCHECK, input={}))
    here = here if isinstance(here, dict) else {}
    rows = [_row(ctx, began, "activity", problem or here.get("problem"), f"package {here.get('package')} runs", _LOG)]
    began = ctx.current_utc_datetime
    yield ctx.create_timer(_TICK)
    rows.append(_row(ctx, began, "timer", None, "a timer of one second fired", _LOG))
    began = ctx.current_utc_datetime
    claimed, problem = yield from _answer(ctx, begin_ask(ctx, "claim", vm=selfchecks.NOBODY, n=0))
    if problem is None and claimed.get("answer") == "yours":
        problem = "the dispatcher gave a claim that nobody has"
    rows.append(_row(ctx, began, "claim", problem, "the dispatcher answers who has a claim", _LOG))
    began = ctx.current_utc_datetime
    answer = ctx.wait_for_external_event(selfchecks.ANSWER_EVENT)
    tell(ctx, "probe", reply_to=ctx.instance_id)
    _, problem = yield from _answer(ctx, answer)
    rows.append(_row(ctx, began, "dispatcher", problem, "the dispatcher started an orchestration, and it ran", _LOG))
    rows += yield from _subscriptions(ctx, [str(one) for one in here.get("subscriptions", ())])
    found = selfchecks.verdict(here, rows, ctx.instance_id)
    yield begin_ask(ctx, "selfchecked", verdict=found)
    return {"kind": "selfcheck", "status": "succeeded" if found["ok"] else "failed", **found}


def _subscriptions(ctx: OrchestrationContext, subscriptions: list[str]) -> Step[list[CheckRow]]:
    rows: list[CheckRow] = []
    for start in range(0, len(subscriptions), messages.BULK_ACTIVITIES_OUTSTANDING):
        wave = subscriptions[start : start + messages.BULK_ACTIVITIES_OUTSTANDING]
        began = ctx.current_utc_datetime
        tasks: list[Task[Any]] = [
            ctx.call_activity(selfchecks.CHECK_SUBSCRIPTION, input={"subscription": one}) for one in wave
        ]
        for subscription, task in zip(wave, tasks, strict=True):
            answer, problem = yield from _answer(ctx, task)
            if problem is not None:
                rows.append(_row(ctx, began, f"arm {subscription}", problem, "", _LOG))
                continue
            took_s = _seconds(began, ctx)
            rows += [CheckRow.from_json({**row, "took_s": took_s}) for row in answer["checks"]]
    return rows


def _answer(ctx: OrchestrationContext, task: Task[Any]) -> Step[tuple[Any, str | None]]:
    """What a task comes to, and what is wrong when it comes to nothing."""
    timer = ctx.create_timer(PATIENCE)
    try:
        winner = yield when_any([task, timer])
        if winner == timer:
            return None, f"no answer within {PATIENCE.total_seconds():.0f} s"
        return task.get_result(), None
    except TaskFailedError as error:
        return None, str(error)[:300]


def _row(
    ctx: OrchestrationContext, began: datetime, name: str, problem: str | None, message: str, cure: str
) -> CheckRow:
    if problem is not None:
        return CheckRow(name, False, problem, cure, _seconds(began, ctx))
    return CheckRow(name, True, message, None, _seconds(began, ctx))


def _seconds(began: datetime, ctx: OrchestrationContext) -> float:
    return round((ctx.current_utc_datetime - began).total_seconds(), 1)
