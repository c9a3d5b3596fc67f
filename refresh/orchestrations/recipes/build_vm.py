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

from refresh.domain.recipes import temporary_group
from refresh.domain.terms.month_reason import MonthReason
from refresh.orchestrations.recipes.stages import MAKING, QUICK, WORKING, Stages, pursue, pursue_step
from refresh.orchestrations.shared.dispatcher_calls import now
from refresh.records import durable_names
from refresh.records.recipes import StageState, TemporaryGroup
from refresh.records.swap import StepInput

# Azure writes the serial log in pieces with an undocumented delay: the last line can arrive after the power-off.
LOG_LOOKS, LOG_LAG = 4, timedelta(seconds=30)


def build_vm(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """A `TemporaryGroup` whose group exists to a `Stage`: done when its VM can be captured."""
    return (yield from _build(ctx, TemporaryGroup.from_json(data))).to_json()


def _build(ctx: OrchestrationContext, place: TemporaryGroup) -> Stages:
    made = yield from pursue(ctx, durable_names.ENSURE_BUILD_VM, place.to_json(), MAKING)
    if made.state is not StageState.DONE:
        return made
    working = replace(place, since=now(ctx))
    off = yield from pursue(ctx, durable_names.WATCH_BUILD_VM, working.to_json(), WORKING)
    for _ in range(LOG_LOOKS):
        if off.reason != MonthReason.NO_MARKER:
            break
        yield ctx.create_timer(LOG_LAG)
        off = yield from pursue(ctx, durable_names.WATCH_BUILD_VM, working.to_json(), WORKING)
    if off.state is not StageState.DONE:
        return off
    stopped = yield from pursue_step(
        ctx, durable_names.ENSURE_STOPPED, StepInput(temporary_group.vm_id(place.group)), QUICK
    )
    if stopped.state is not StageState.DONE or not place.generalized:
        return replace(stopped, evidence=())
    return (yield from pursue(ctx, durable_names.ENSURE_GENERALIZED, place.to_json(), QUICK))
