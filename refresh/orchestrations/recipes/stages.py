"""Stages of work on a temporary resource group: each is called until it has ended, and the group is cleaned up.

Decides how often and how long a stage is called, and how many crashes it can have. Does not know what a stage does.
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
from refresh.records import durable_names
from refresh.records.recipes import Stage, StageState, TemporaryGroup
from refresh.records.swap import StepInput, StepResult, StepState

# An activity that crashed is called again: each of them reads before it changes anything.
CRASHES_ALLOWED = 3

# The code of a step whose guest was unhealthy.
_UNHEALTHY = "Unhealthy"

type Stages = Generator[Task[Any], Any, Stage]


def pursue(ctx: OrchestrationContext, activity: str, data: dict[str, Any], poll: Poll) -> Stages:
    """Call `activity` until its stage has ended."""
    begun, crashes = now(ctx), 0
    while True:
        try:
            stage = Stage.from_json((yield ctx.call_activity(activity, input={**data, "asked_at": now(ctx)})))
        except TaskFailedError as error:
            crashes += 1
            if crashes > CRASHES_ALLOWED:
                return Stage(StageState.FAILED, MonthReason.BROKEN, f"{activity} broke off: {error}"[:300])
            stage = Stage(StageState.WAITING, MonthReason.BROKEN, f"{activity} broke off")
        if stage.state is not StageState.WAITING:
            return stage
        waited_s = times.seconds_between(begun, now(ctx)) or 0.0
        if waited_s >= poll.budget_s:
            return Stage(
                StageState.FAILED, MonthReason.TIMED_OUT, f"after {waited_s / 60:.0f} minutes: {stage.message}"[:300]
            )
        slower = polls.SLOWER if waited_s >= polls.SLOWER_AFTER_S else 1
        yield ctx.create_timer(timedelta(seconds=poll.every_s * slower))


def pursue_step(ctx: OrchestrationContext, activity: str, step: StepInput, poll: Poll) -> Stages:
    """The same for a step of swaps: its evidence is the stage's message."""
    begun, crashes = now(ctx), 0
    while True:
        try:
            data = {**step.to_json(), "asked_at": now(ctx)}
            result = StepResult.from_json((yield ctx.call_activity(activity, input=data)))
        except TaskFailedError as error:
            crashes += 1
            result = StepResult(
                StepState.WAITING if crashes <= CRASHES_ALLOWED else StepState.FAILED, message=str(error)[:200]
            )
        seen = result.message or result.evidence or ""
        if result.state is StepState.DONE:
            return Stage(StageState.DONE, message=seen[:300], evidence=result.rungs, at=result.at)
        if result.state is not StepState.WAITING:
            # Only a guest that was read as unhealthy is the version's fault.
            azure_refused = result.state is not StepState.FAILED or result.code not in (None, _UNHEALTHY)
            reason = MonthReason.AZURE_SAID_NO if azure_refused else MonthReason.BUILD_FAILED
            return Stage(StageState.FAILED, reason, (seen or result.state)[:300], result.rungs)
        if (times.seconds_between(begun, now(ctx)) or 0.0) >= poll.budget_s:
            return Stage(
                StageState.FAILED, MonthReason.TIMED_OUT, f"{activity} took too long: {seen}"[:300], result.rungs
            )
        known = {"since": result.since, "begun_at": result.begun_at, "last_code": result.code}
        step = StepInput.from_json({**step.to_json(), **{key: value for key, value in known.items() if value}})
        if result.wait_s is not None:
            yield ctx.create_timer(timedelta(seconds=result.wait_s))


def clean_up(ctx: OrchestrationContext, group: str) -> Stages:
    """Delete the group; a failure names it and has the commands that delete it."""
    stage = yield from pursue(ctx, durable_names.ENSURE_GROUP_GONE, {"group": group}, polls.DELETE_GROUP)
    if stage.state is StageState.FAILED and not stage.by_hand:  # out of time, or broken off: Azure may never delete it
        return replace(stage, by_hand=delete_commands(group))
    return stage


def clear_way(ctx: OrchestrationContext, own: TemporaryGroup) -> Stages:
    """Make sure that no other run builds the same, and delete what ended runs have left.

    Done also when something cannot be deleted: the stage names it, and it does not block this run.
    """
    try:
        found = yield ctx.call_activity(durable_names.FIND_LEFTOVERS, input=own.to_json())
    except TaskFailedError as error:
        return Stage(StageState.FAILED, MonthReason.BROKEN, f"other builds could not be listed: {error}"[:300])
    if found.get("problem"):
        return Stage(StageState.FAILED, MonthReason.NOT_READ, found["problem"])
    if found["busy"]:
        message = f"run {found['busy']} builds it already; run again when it has ended"
        return Stage(StageState.FAILED, MonthReason.BUILD_UNDER_WAY, message)
    left: list[Stage] = []
    for group in found["groups"]:
        # Begun without waiting: what an ended run left must not delay this run.
        stage = yield from pursue(ctx, durable_names.ENSURE_GROUP_GONE, {"group": group}, polls.ONE_READ)
        left += [stage] if stage.state is StageState.FAILED and stage.reason != MonthReason.TIMED_OUT else []
    remains = "; ".join(str(stage.message) for stage in left)[:300] or None
    return Stage(StageState.DONE, message=remains, by_hand=tuple(line for stage in left for line in stage.by_hand))
