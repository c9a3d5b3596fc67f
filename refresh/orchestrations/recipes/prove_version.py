"""Proves an image version before anybody uses it: a disk from it boots on a throw-away VM and must be healthy.

Decides the order: group, disk and VM, the same health ladder as after a swap, and whatever happens the group is taken
away. Refuses to decide what becomes of the version.
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
from refresh.records import recipes as names
from refresh.records.recipes import ProofInput, Stage, TemporaryGroup
from refresh.records.swap import Health, StepInput


def prove_version(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """A `ProofInput` to a `Stage`: done when the version is proved; `by_hand` takes away what the app could not."""
    asked = ProofInput.from_json(data)
    planned = yield ctx.call_activity(
        names.PLAN_PROOF, input={**asked.to_json(), "run": ctx.instance_id, "since": now(ctx)}
    )
    if "stage" in planned:
        return dict(planned["stage"])
    place = TemporaryGroup.from_json(planned["place"])
    proof = yield from _prove(ctx, place)
    cleaned = yield from clean_up(ctx, place.group)
    if cleaned.state == "failed":
        told = f"{proof.message or 'proved'}; {cleaned.message}"[:300]
        proof = replace(proof, message=told, by_hand=(*proof.by_hand, *cleaned.by_hand))
    return proof.to_json()


def _prove(ctx: OrchestrationContext, place: TemporaryGroup) -> Stages:
    grouped = yield from pursue(ctx, names.ENSURE_BUILD_GROUP, place.to_json(), polls.RECIPE_STAGE)
    if grouped.state != "done":
        return grouped
    clear = yield from clear_way(ctx, place)
    if clear.state != "done":
        return clear
    made = yield from pursue(ctx, names.ENSURE_PROOF_VM, place.to_json(), polls.MAKE_VM)
    if made.state != "done":
        return made
    step = StepInput(temporary_group.vm_id(place.group), health=Health(agent=place.agent))
    healthy = yield from pursue_step(ctx, "ensure_healthy", step, polls.PROVE_VM)
    if healthy.state != "done":
        return replace(healthy, message=f"a disk from it booted and is not healthy: {healthy.message}"[:300])
    return Stage("done", message=f"a disk from it booted: {healthy.message}"[:300], by_hand=clear.by_hand)
