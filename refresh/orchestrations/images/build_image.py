"""One image version: choose it once, begin it, look every minute until it has arrived everywhere, have it checked.

Decides how long a build may take and in which order. Azure takes some seven minutes for the version and up to hours for
its replication, so waiting is done in durable timers and in a fresh history every hour. The continuation token is an
activity's output and stays in the history it came in: after that hour a failure is told without Azure's own words.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.azure import polls
from refresh.domain.images.manual_commands import delete_command
from refresh.domain.terms import times
from refresh.domain.terms.month_reason import MonthReason
from refresh.orchestrations.shared.dispatcher_calls import now
from refresh.orchestrations.shared.notices import publish
from refresh.records import month, recipes
from refresh.records.events import image_event
from refresh.records.month import BuildInput, ImageRow
from refresh.records.recipes import ProofInput, Stage

LOOK_EVERY = timedelta(seconds=polls.BUILD_VERSION.every_s)
LOOKS_PER_HISTORY = 60
LOOKS_AT_END = int(polls.CHANGE_VERSION.budget_s / polls.CHANGE_VERSION.every_s)

_OVER = (MonthReason.BUILD_FAILED, MonthReason.NOT_REPLICATED, MonthReason.AZURE_SAID_NO)

type Row = dict[str, Any]
type Steps[T] = Generator[Task[Any], Any, T]


def build_image(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps[Row]:
    """Carry a `BuildInput` to its end, answer its `ImageRow` and have it published."""
    asked = BuildInput.from_json(data)
    try:
        build, row = yield from _build(ctx, asked)
    except TaskFailedError as error:
        message = f"the build broke off and may be half done; run it again ({str(error)[:100]})"
        broken = ImageRow(asked.definition, month.FAILED, MonthReason.BROKEN, message).to_json()
        yield from _tell(ctx, asked, broken)
        raise
    if row is None:
        return {}
    yield from _tell(ctx, build, row)
    return row


def _build(ctx: OrchestrationContext, build: BuildInput) -> Steps[tuple[BuildInput, Row | None]]:
    """The build as it was planned, and its row; None when a fresh history goes on with it."""
    token: str | None = None
    if build.version is None:
        planned = yield ctx.call_activity(month.PLAN_VERSION, input=build.to_json())
        if "row" in planned:
            return build, dict(planned["row"])
        build = replace(BuildInput.from_json(planned["build"]), since=now(ctx))
        refused = yield from _make_way(ctx, build)
        if refused is not None:
            return build, _with_leftovers(build, refused)
        if build.recipe:
            return build, _with_leftovers(build, (yield from _run_recipe(ctx, build)))
        if not build.kept:
            begun = yield ctx.call_activity(month.BEGIN_VERSION, input=build.to_json())
            if "row" in begun:
                return build, _with_leftovers(build, (yield from _give_up(ctx, build, begun["row"])))
            token = begun.get("token")
        # What was sent is not needed any more, and every history would carry it.
        build = replace(build, body=None, definition_body=None, image_body=None)
    row = yield from _watch(ctx, build, token)
    if row is None:
        return build, None
    if row["decision"] != month.FAILED:
        row = yield from _admit(ctx, build, row)
    else:
        row = yield from _give_up(ctx, build, row)
    return build, _with_leftovers(build, row)


def _tell(ctx: OrchestrationContext, build: BuildInput, row: Row) -> Steps[None]:
    """Have the end of a build published, once: what is captured for a recipe is told by the build that asked for it."""
    if not build.machine:
        yield from publish(ctx, image_event(ctx.instance_id, row, now(ctx), admitted=build.admit))


def _make_way(ctx: OrchestrationContext, build: BuildInput) -> Steps[Row | None]:
    """Make what the version needs to be there before it: its definition, a managed image. The row if that failed."""
    for needed, activity in ((build.definition_body, month.MAKE_DEFINITION), (build.image_body, month.MAKE_IMAGE)):
        if needed is not None:
            made = yield from _settle(ctx, activity, build.to_json())
            if "row" in made:
                return (yield from _give_up(ctx, build, made["row"]))
    return None


def _run_recipe(ctx: OrchestrationContext, build: BuildInput) -> Steps[Row]:
    instance_id = month.child_id("recipe", build.period, ctx.new_uuid())
    return dict((yield ctx.call_sub_orchestrator(recipes.RUN_RECIPE, input=build.to_json(), instance_id=instance_id)))


def _watch(ctx: OrchestrationContext, build: BuildInput, token: str | None) -> Steps[Row | None]:
    """Wait until the version has arrived everywhere, or never will; None when a fresh history goes on with it."""
    for _ in range(LOOKS_PER_HISTORY):
        seen = yield ctx.call_activity(month.WATCH_VERSION, input=build.to_json())
        row: Row = seen["row"]
        ctx.set_custom_status({"version": row.get("version"), "step": "replicating", "regions": seen["regions"]})
        if seen["standing"] == "done":
            return row
        if seen["standing"] == "failed":
            return (yield from _explain(ctx, build, row, token))
        waited_s = times.seconds_between(build.since, now(ctx)) or 0.0
        if waited_s >= (polls.BUILD_FROM_VM_BUDGET_S if build.machine else polls.BUILD_VERSION.budget_s):
            why = f"{row['message']} after {waited_s / 3600:.1f} h; run again to go on waiting for it"
            return row | {"reason": str(MonthReason.TIMED_OUT), "message": why}
        yield ctx.create_timer(LOOK_EVERY)
    ctx.continue_as_new(build.to_json())
    return None


def _explain(ctx: OrchestrationContext, build: BuildInput, row: Row, token: str | None) -> Steps[Row]:
    if row["reason"] not in (MonthReason.BUILD_FAILED, MonthReason.NOT_REPLICATED):
        return row
    told = yield ctx.call_activity(month.EXPLAIN_VERSION, input={"version": build.version, "token": token})
    return row | {"message": f"{row['message']}: {told['why']}"[: month.MAX_IMAGE_MESSAGE]}


def _admit(ctx: OrchestrationContext, build: BuildInput, row: Row) -> Steps[Row]:
    """Have the version proved where that is asked for, and take it out of its exclusion from latest."""
    if not build.admit:
        return row
    ctx.set_custom_status({"version": row["version"], "step": "being proved" if build.proof else "being admitted"})
    proof = (yield from _prove(ctx, build)) if build.proof else Stage("done")
    row = _add_commands(row, proof.by_hand)
    if proof.state != "done":
        return (yield from _keep_out(ctx, build, row, proof))
    if proof.message:
        row = row | {"message": f"{row['message']}; {proof.message}"[: month.MAX_IMAGE_MESSAGE]}
    settled = yield from _settle(ctx, month.ADMIT_VERSION, {**build.to_json(), "passed": True})
    return row if settled.get("done") else row | settled.get("row", {})


def _prove(ctx: OrchestrationContext, build: BuildInput) -> Steps[Stage]:
    asked = ProofInput(build.definition, build.version or "")
    instance_id = month.child_id("proof", build.period, ctx.new_uuid())
    try:
        told = yield ctx.call_sub_orchestrator(recipes.PROVE_VERSION, input=asked.to_json(), instance_id=instance_id)
    except TaskFailedError as error:
        return Stage("failed", MonthReason.BROKEN, f"its proof broke off: {error}"[:200])
    return Stage.from_json(told)


def _keep_out(ctx: OrchestrationContext, build: BuildInput, row: Row, proof: Stage) -> Steps[Row]:
    """Leave a version excluded; one whose disk was seen to be no good for ever, any other until it is tried again."""
    told = f"version {row['version']} stays excluded from latest: {proof.message}"
    row = row | {"decision": month.FAILED, "reason": str(MonthReason.NOT_PROVEN), "evidence": list(proof.evidence)}
    if proof.reason != MonthReason.BUILD_FAILED:
        return row | {"message": f"{told[:900]}; run again"}
    yield from _settle(ctx, month.ADMIT_VERSION, {**build.to_json(), "passed": False})
    return _add_commands(row | {"message": told[: month.MAX_IMAGE_MESSAGE]}, (delete_command(build.version or ""),))


def _give_up(ctx: OrchestrationContext, build: BuildInput, row: Row) -> Steps[Row]:
    """Take away what a failed build has made and nobody can use; what cannot be taken away is told as a command.

    Not where the version may yet come to be, or is another run's.
    """
    if build.kept or row["reason"] not in _OVER:
        return row
    settled = yield from _settle(ctx, month.DISCARD_VERSION, build.to_json())
    message = (
        f"{row['message']}; {settled['message']}"[: month.MAX_IMAGE_MESSAGE]
        if settled.get("message")
        else row["message"]
    )
    return _add_commands(row | {"message": message}, settled.get("by_hand", ()))


def _settle(ctx: OrchestrationContext, activity: str, data: dict[str, Any]) -> Steps[dict[str, Any]]:
    """Ask an activity until it says `done` or will not go on; its last answer."""
    answer: dict[str, Any] = {}
    for _ in range(LOOKS_AT_END):
        answer = yield ctx.call_activity(activity, input=data)
        if not answer.get("waiting"):
            break
        yield ctx.create_timer(timedelta(seconds=polls.CHANGE_VERSION.every_s))
    return answer


def _with_leftovers(build: BuildInput, row: Row) -> Row:
    return _add_commands(row, tuple(delete_command(version) for version in build.leftovers))


def _add_commands(row: Row, commands: tuple[str, ...] | list[str]) -> Row:
    known = [*row.get("by_hand", ()), *commands]
    return row | {"by_hand": list(dict.fromkeys(known))} if known else row
