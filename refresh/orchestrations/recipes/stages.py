"""Stages of work on a temporary resource group: asked again until they are over, and always cleaned up after.

Decides how often is asked, for how long, and how many crashes a stage may have. Refuses to know what a stage does.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.azure import polls
from refresh.domain.azure.polls import Poll
from refresh.domain.recipes.temporary_group import delete_commands
from refresh.domain.terms import times
from refresh.domain.terms.month_reason import MonthReason
from refresh.orchestrations.shared.dispatcher_calls import now
from refresh.records import recipes as names
from refresh.records.recipes import Stage, TemporaryGroup
from refresh.records.swap import StepInput, StepResult

# An activity that crashed is tried again: each of them reads before it does anything.
CRASHES_ALLOWED = 3

# What a step says of a guest that was condemned.
_UNHEALTHY = "Unhealthy"

type Stages = Generator[Task[Any], Any, Stage]


def pursue(ctx: OrchestrationContext, activity: str, data: dict[str, Any], poll: Poll) -> Stages:
    """Ask `activity` until it says that its stage is over."""
    begun, crashes = now(ctx), 0
    while True:
        try:
            stage = Stage.from_json((yield ctx.call_activity(activity, input={**data, "asked_at": now(ctx)})))
        except TaskFailedError as error:
            crashes += 1
            if crashes > CRASHES_ALLOWED:
                return Stage("failed", MonthReason.BROKEN, f"{activity} broke off: {error}"[:300])
            stage = Stage("waiting", MonthReason.BROKEN, f"{activity} broke off")
        if stage.state != "waiting":
            return stage
        waited_s = times.seconds_between(begun, now(ctx)) or 0.0
        if waited_s >= poll.budget_s:
            return Stage("failed", MonthReason.TIMED_OUT, f"after {waited_s / 60:.0f} minutes: {stage.message}"[:300])
        slower = polls.SLOWER if waited_s >= polls.SLOWER_AFTER_S else 1
        yield ctx.create_timer(timedelta(seconds=poll.every_s * slower))


def pursue_step(ctx: OrchestrationContext, activity: str, step: StepInput, poll: Poll) -> Stages:
    """The same for a step that swaps know too: `proved` comes back as evidence in the stage's message."""
    begun, crashes = now(ctx), 0
    while True:
        try:
            asked = {**step.to_json(), "asked_at": now(ctx)}
            result = StepResult.from_json((yield ctx.call_activity(activity, input=asked)))
        except TaskFailedError as error:
            crashes += 1
            result = StepResult("waiting" if crashes <= CRASHES_ALLOWED else "failed", message=str(error)[:200])
        seen = result.message or result.evidence or ""
        if result.state == "done":
            return Stage("done", message=seen[:300], evidence=result.rungs, at=result.at)
        if result.state != "waiting":
            # Seen to be unhealthy is one thing, not seen at all another.
            said_no = result.state != "failed" or result.code not in (None, _UNHEALTHY)
            reason = MonthReason.AZURE_SAID_NO if said_no else MonthReason.BUILD_FAILED
            return Stage("failed", reason, (seen or result.state)[:300], result.rungs)
        if (times.seconds_between(begun, now(ctx)) or 0.0) >= poll.budget_s:
            return Stage("failed", MonthReason.TIMED_OUT, f"{activity} took too long: {seen}"[:300], result.rungs)
        known = {"since": result.since, "begun_at": result.begun_at, "last_code": result.code}
        step = StepInput.from_json({**step.to_json(), **{key: value for key, value in known.items() if value}})
        if result.wait_s is not None:
            yield ctx.create_timer(timedelta(seconds=result.wait_s))


def clean_up(ctx: OrchestrationContext, group: str) -> Stages:
    """Have the group gone; a failure names it and says how a person takes it away."""
    stage = yield from pursue(ctx, names.ENSURE_GROUP_GONE, {"group": group}, polls.DELETE_GROUP)
    if stage.state == "failed" and not stage.by_hand:  # out of time, or broken off: nothing says that it will go
        return replace(stage, by_hand=delete_commands(group))
    return stage


def clear_way(ctx: OrchestrationContext, place: TemporaryGroup) -> Stages:
    """Make sure that nobody else works on the same, and take away what dead runs have left behind.

    Done even where something cannot be taken away: what is left is named, and never blocks this run.
    """
    try:
        found = yield ctx.call_activity(names.FIND_LEFTOVERS, input=place.to_json())
    except TaskFailedError as error:
        return Stage("failed", MonthReason.BROKEN, f"other builds could not be looked for: {error}"[:300])
    if found.get("problem"):
        return Stage("failed", MonthReason.NOT_READ, found["problem"])
    if found["busy"]:
        message = f"run {found['busy']} is at it already; run again when it is finished"
        return Stage("failed", MonthReason.BUILD_UNDER_WAY, message)
    left: list[Stage] = []
    for group in found["groups"]:
        # Begun and not waited for: what a dead run left must not hold up this one.
        stage = yield from pursue(ctx, names.ENSURE_GROUP_GONE, {"group": group}, polls.ONE_LOOK)
        left += [stage] if stage.state == "failed" and stage.reason != MonthReason.TIMED_OUT else []
    told = "; ".join(str(stage.message) for stage in left)[:300] or None
    return Stage("done", message=told, by_hand=tuple(line for stage in left for line in stage.by_hand))
