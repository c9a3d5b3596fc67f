"""Runs a recipe on a VM that customises itself, powers itself off and is then ready to be captured.

Decides the order. There is no login and no installation from outside: the VM powers off when it has ended, and the
marker in its serial log shows success. Leaves the capture and the cleanup to `run_recipe`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task

from refresh.domain.azure import polls
from refresh.domain.recipes import temporary_group
from refresh.domain.terms.month_reason import MonthReason
from refresh.orchestrations.recipes.stages import Stages, pursue, pursue_step
from refresh.orchestrations.shared.dispatcher_calls import now
from refresh.records import durable_names
from refresh.records.recipes import StageState, TemporaryGroup
from refresh.records.swap import StepInput

LOG_READS = int(polls.LAST_LOG_LINE.budget_s / polls.LAST_LOG_LINE.every_s)


def build_vm(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """A `TemporaryGroup` whose group exists to a `Stage`: done when its VM can be captured."""
    return (yield from _build(ctx, TemporaryGroup.from_json(data))).to_json()


def _build(ctx: OrchestrationContext, group: TemporaryGroup) -> Stages:
    made = yield from pursue(ctx, durable_names.ENSURE_BUILD_VM, group.to_json(), polls.MAKE_VM)
    if made.state is not StageState.DONE:
        return made
    working = replace(group, since=now(ctx))
    off = yield from pursue(ctx, durable_names.WATCH_BUILD_VM, working.to_json(), polls.RUN_RECIPE)
    for _ in range(LOG_READS):
        if off.reason != MonthReason.NO_MARKER:
            break
        yield ctx.create_timer(timedelta(seconds=polls.LAST_LOG_LINE.every_s))
        off = yield from pursue(ctx, durable_names.WATCH_BUILD_VM, working.to_json(), polls.RUN_RECIPE)
    if off.state is not StageState.DONE:
        return off
    stopped = yield from pursue_step(
        ctx, durable_names.ENSURE_STOPPED, StepInput(temporary_group.vm_id(group.group)), polls.RECIPE_STAGE
    )
    if stopped.state is not StageState.DONE or not group.generalized:
        return replace(stopped, evidence=())
    return (yield from pursue(ctx, durable_names.ENSURE_GENERALIZED, group.to_json(), polls.RECIPE_STAGE))
