"""Makes an image version from a recipe: a temporary group, a VM that customises itself, its capture, the cleanup.

Decides the order, and that the group is deleted after every build. `build_image` publishes the version, as for every
other source. Does not know the content of a recipe.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.azure import polls
from refresh.domain.recipes import temporary_group
from refresh.domain.terms import resource_id
from refresh.domain.terms.month_reason import MonthReason
from refresh.orchestrations.recipes.stages import Stages, clean_up, clear_way, pursue
from refresh.orchestrations.shared.dispatcher_calls import now
from refresh.records import durable_names, month
from refresh.records.month import BuildInput, ImageRow
from refresh.records.recipes import Stage, StageState, TemporaryGroup

_MAX_MESSAGE = 300

type Row = dict[str, Any]


def run_recipe(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, Row]:
    """Run the recipe of a `BuildInput` and return its `ImageRow`."""
    build = BuildInput.from_json(data)
    planned = yield ctx.call_activity(
        durable_names.PLAN_RECIPE, input={"definition": build.definition, "run": ctx.instance_id, "since": now(ctx)}
    )
    if "row" in planned:
        return dict(planned["row"])
    group = TemporaryGroup.from_json(planned["place"])
    made = yield from _make(ctx, group)
    if made.state is StageState.DONE:
        row = yield from _publish(ctx, build, temporary_group.vm_id(group.group))
    else:
        reason, message = made.reason or MonthReason.BUILD_FAILED, made.message or "the build failed"
        decision = month.REFUSE if reason == MonthReason.BUILD_UNDER_WAY else month.FAILED
        row = ImageRow(build.definition, decision, reason, message, evidence=made.evidence).to_json()
    cleaned = yield from clean_up(ctx, group.group)
    return _with_leftovers(row, made if made.state is StageState.DONE else Stage(StageState.DONE), cleaned)


def _make(ctx: OrchestrationContext, group: TemporaryGroup) -> Stages:
    """The VM, ready to be captured; `by_hand` deletes what is left of earlier runs."""
    grouped = yield from pursue(ctx, durable_names.ENSURE_BUILD_GROUP, group.to_json(), polls.RECIPE_STAGE)
    if grouped.state is not StageState.DONE:
        return grouped
    clear = yield from clear_way(ctx, group)
    if clear.state is not StageState.DONE:
        return clear
    try:
        built = yield ctx.call_sub_orchestrator(
            durable_names.BUILD_VM, input=group.to_json(), instance_id=_child_id(ctx, "machine", group.definition)
        )
    except TaskFailedError as error:
        return Stage(StageState.FAILED, MonthReason.BROKEN, f"the build VM's work broke off: {error}"[:_MAX_MESSAGE])
    stage = Stage.from_json(built)
    return stage if stage.state is StageState.FAILED else replace(stage, message=clear.message, by_hand=clear.by_hand)


def _publish(ctx: OrchestrationContext, request: BuildInput, machine: str) -> Generator[Task[Any], Any, Row]:
    """Have a version made from `machine`, with a new plan: the recipe can have taken hours."""
    build = BuildInput(
        request.definition,
        request.period,
        request.regions,
        request.force_rebuild,
        demand=request.demand,
        machine=machine,
    )
    try:
        row: Row = yield ctx.call_sub_orchestrator(
            durable_names.BUILD_IMAGE, input=build.to_json(), instance_id=_child_id(ctx, "build", build.definition)
        )
    except TaskFailedError as error:
        message = f"publishing broke off and may be half done; run it again ({str(error)[:100]})"
        return ImageRow(build.definition, month.FAILED, MonthReason.BROKEN, message).to_json()
    return row


def _child_id(ctx: OrchestrationContext, kind: str, definition: str) -> str:
    return month.child_id(kind, resource_id.id_hash(definition), ctx.new_uuid())


def _with_leftovers(row: Row, earlier: Stage, cleaned: Stage) -> Row:
    """The row, which also names what is left over, with the commands that delete it."""
    left = [str(stage.message) for stage in (earlier, cleaned) if stage.by_hand or stage.state is StageState.FAILED]
    if not left:
        return row
    by_hand = [*row.get("by_hand", ()), *earlier.by_hand, *cleaned.by_hand]
    return row | {"message": "; ".join([row["message"], *left])[:_MAX_MESSAGE], "by_hand": by_hand}
