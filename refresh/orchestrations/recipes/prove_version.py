"""Proves an image version before it is used: a disk from it boots on a throw-away VM and must be healthy.

Decides the order: group, disk and VM, the same health ladder as after a swap, and in every case the deletion of the
group. Does not decide what happens to the version.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from durabletask.task import OrchestrationContext, Task

from refresh.domain.azure import polls
from refresh.domain.recipes import temporary_group
from refresh.orchestrations.recipes.stages import (
    Stages,
    clean_up,
    clear_way,
    pursue,
    pursue_step,
)
from refresh.orchestrations.shared.dispatcher_calls import now
from refresh.records import durable_names
from refresh.records.recipes import ProofInput, Stage, StageState, TemporaryGroup
from refresh.records.swap import Health, StepInput


def prove_version(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """A `ProofInput` to a `Stage`: done when the version is proved; `by_hand` deletes what the app could not delete."""
    request = ProofInput.from_json(data)
    planned = yield ctx.call_activity(
        durable_names.PLAN_PROOF, input={**request.to_json(), "run": ctx.instance_id, "since": now(ctx)}
    )
    if "stage" in planned:
        return dict(planned["stage"])
    group = TemporaryGroup.from_json(planned["place"])
    proof = yield from _prove(ctx, group)
    cleaned = yield from clean_up(ctx, group.group)
    if cleaned.state is StageState.FAILED:
        message = f"{proof.message or 'proved'}; {cleaned.message}"[:300]
        proof = replace(proof, message=message, by_hand=(*proof.by_hand, *cleaned.by_hand))
    return proof.to_json()


def _prove(ctx: OrchestrationContext, group: TemporaryGroup) -> Stages:
    grouped = yield from pursue(ctx, durable_names.ENSURE_BUILD_GROUP, group.to_json(), polls.RECIPE_STAGE)
    if grouped.state is not StageState.DONE:
        return grouped
    clear = yield from clear_way(ctx, group)
    if clear.state is not StageState.DONE:
        return clear
    made = yield from pursue(ctx, durable_names.ENSURE_PROOF_VM, group.to_json(), polls.MAKE_VM)
    if made.state is not StageState.DONE:
        return made
    step = StepInput(temporary_group.vm_id(group.group), health=Health(agent=group.agent))
    healthy = yield from pursue_step(ctx, durable_names.ENSURE_HEALTHY, step, polls.PROVE_VM)
    if healthy.state is not StageState.DONE:
        return replace(healthy, message=f"a disk from it booted and is not healthy: {healthy.message}"[:300])
    return Stage(StageState.DONE, message=f"a disk from it booted: {healthy.message}"[:300], by_hand=clear.by_hand)
