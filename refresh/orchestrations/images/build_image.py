"""Builds one image version: chooses it once, begins it, reads it every minute until it is replicated, has it checked.

Decides the order and how long a build can take. Azure takes about seven minutes for the version and up to hours for its
replication, so the build waits in durable timers and continues as new every hour. The continuation token is an
activity's output and stays in its history: after that hour a failure has no error of Azure.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.azure import polls
from refresh.domain.images.manual_commands import delete_command
from refresh.domain.images.replication import ReplicationStanding
from refresh.domain.terms import times
from refresh.domain.terms.month_reason import MonthReason
from refresh.orchestrations.shared.dispatcher_calls import now
from refresh.orchestrations.shared.notices import publish
from refresh.records import durable_names, month
from refresh.records.events import image_event
from refresh.records.month import BuildInput, ImageRow
from refresh.records.recipes import ProofInput, Stage, StageState

READ_EVERY = timedelta(seconds=polls.BUILD_VERSION.every_s)
READS_PER_HISTORY = 60
READS_AT_END = int(polls.CHANGE_VERSION.budget_s / polls.CHANGE_VERSION.every_s)

# In the row of a version that is not complete, while the build goes on: it can be used where it has arrived.
_PARTIAL = "partial"
_OVER = (MonthReason.BUILD_FAILED, MonthReason.NOT_REPLICATED, MonthReason.AZURE_SAID_NO)

type Row = dict[str, Any]
type Steps[T] = Generator[Task[Any], Any, T]


def build_image(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps[Row]:
    """Run a `BuildInput` to its end, publish and return its `ImageRow`."""
    request = BuildInput.from_json(data)
    try:
        build, row = yield from _build(ctx, request)
    except TaskFailedError as error:
        message = f"the build broke off and may be half done; run it again ({str(error)[:100]})"
        broken = ImageRow(request.definition, month.FAILED, MonthReason.BROKEN, message).to_json()
        yield from _publish(ctx, request, broken)
        raise
    if row is None:
        return {}
    yield from _publish(ctx, build, row)
    return row


def _build(ctx: OrchestrationContext, build: BuildInput) -> Steps[tuple[BuildInput, Row | None]]:
    """The planned build and its row; None when the build continues as new."""
    token: str | None = None
    without: str | None = None
    if build.version is None:
        planned = yield ctx.call_activity(durable_names.PLAN_VERSION, input=build.to_json())
        if "row" in planned:
            return build, dict(planned["row"])
        build = replace(BuildInput.from_json(planned["build"]), since=now(ctx))
        refused = yield from _make_way(ctx, build)
        if refused is not None:
            return build, _with_leftovers(build, refused)
        if build.recipe:
            return build, _with_leftovers(build, (yield from _run_recipe(ctx, build)))
        if not build.kept:
            begun = yield ctx.call_activity(durable_names.BEGIN_VERSION, input=build.to_json())
            if "row" in begun:
                return build, _with_leftovers(build, (yield from _give_up(ctx, build, begun["row"])))
            token, without = begun.get("token"), begun.get("without")
        # The sent bodies are not needed any more, and every history would contain them.
        build = replace(build, body=None, definition_body=None, image_body=None)
    row = yield from _watch(ctx, build, token, without)
    if row is None:
        return build, None
    partial = row.pop(_PARTIAL, False)
    if row["decision"] != month.FAILED:
        row = yield from _admit(ctx, build, row)
    elif partial:
        row = yield from _use_where_arrived(ctx, build, row)
    else:
        row = yield from _give_up(ctx, build, row)
    return build, _with_leftovers(build, row)


def _publish(ctx: OrchestrationContext, build: BuildInput, row: Row) -> Steps[None]:
    """Publish the end of a build, once: the build that started a recipe publishes for the capture, too."""
    if not build.machine:
        yield from publish(ctx, image_event(ctx.instance_id, row, now(ctx), admitted=build.admit))


def _make_way(ctx: OrchestrationContext, build: BuildInput) -> Steps[Row | None]:
    """Make what the version needs first: its definition, a managed image. The row if that failed."""
    for needed, activity in (
        (build.definition_body, durable_names.MAKE_DEFINITION),
        (build.image_body, durable_names.MAKE_IMAGE),
    ):
        if needed is not None:
            made = yield from _settle(ctx, activity, build.to_json())
            if "row" in made:
                return (yield from _give_up(ctx, build, made["row"]))
    return None


def _run_recipe(ctx: OrchestrationContext, build: BuildInput) -> Steps[Row]:
    instance_id = month.child_id("recipe", build.period, ctx.new_uuid())
    return dict(
        (yield ctx.call_sub_orchestrator(durable_names.RUN_RECIPE, input=build.to_json(), instance_id=instance_id))
    )


def _watch(ctx: OrchestrationContext, build: BuildInput, token: str | None, without: str | None) -> Steps[Row | None]:
    """Wait until the version is replicated or has failed; None when the build continues as new.

    `without` is Azure's refusal of a region that the version is made without.
    """
    for _ in range(READS_PER_HISTORY):
        seen = yield ctx.call_activity(durable_names.WATCH_VERSION, input=build.to_json())
        row: Row = seen["row"]
        ctx.set_custom_status({"version": row.get("version"), "step": "replicating", "regions": seen["regions"]})
        if seen["standing"] == ReplicationStanding.DONE:
            return row
        partial = {_PARTIAL: True} if seen.get("partial") else {}
        if seen["standing"] == ReplicationStanding.FAILED:
            why = without if row["reason"] == MonthReason.NOT_REPLICATED else None
            return (yield from _explain(ctx, build, row, token, why)) | partial
        waited_s = times.seconds_between(build.since, now(ctx)) or 0.0
        if waited_s >= (polls.BUILD_FROM_VM_BUDGET_S if build.machine else polls.BUILD_VERSION.budget_s):
            why = f"{row['message']} after {waited_s / 3600:.1f} h; run again to continue waiting"
            return row | {"reason": str(MonthReason.TIMED_OUT), "message": why} | partial
        yield ctx.create_timer(READ_EVERY)
    ctx.continue_as_new(build.to_json())
    return None


def _explain(ctx: OrchestrationContext, build: BuildInput, row: Row, token: str | None, why: str | None) -> Steps[Row]:
    """The row with Azure's error, which is read unless `why` is known."""
    if row["reason"] not in (MonthReason.BUILD_FAILED, MonthReason.NOT_REPLICATED):
        return row
    if why is None:
        asked = {"version": build.version, "token": token}
        why = (yield ctx.call_activity(durable_names.EXPLAIN_VERSION, input=asked))["why"]
    return row | {"message": f"{row['message']}: {why}"[: month.MAX_IMAGE_MESSAGE]}


def _admit(ctx: OrchestrationContext, build: BuildInput, row: Row) -> Steps[Row]:
    """Have the version proved if the build requires it, and end its exclusion from latest."""
    if not build.admit:
        return row
    ctx.set_custom_status({"version": row["version"], "step": "being proved" if build.proof else "being admitted"})
    proof = (yield from _prove(ctx, build)) if build.proof else Stage(StageState.DONE)
    row = _add_commands(row, proof.by_hand)
    if proof.state is not StageState.DONE:
        return (yield from _keep_out(ctx, build, row, proof))
    if proof.message:
        row = row | {"message": f"{row['message']}; {proof.message}"[: month.MAX_IMAGE_MESSAGE]}
    settled = yield from _settle(ctx, durable_names.ADMIT_VERSION, {**build.to_json(), "passed": True})
    return row if settled.get("done") else row | settled.get("row", {})


def _use_where_arrived(ctx: OrchestrationContext, build: BuildInput, row: Row) -> Steps[Row]:
    """End the checks of a version that some regions miss: only VMs in those regions get no disk from it.

    The row stays a failure, with the missing regions and the commands that add them.
    """
    reason = row["reason"]
    row = yield from _admit(ctx, build, row)
    if row["reason"] != reason:
        return row
    used = f"version {row['version']} is used in {', '.join(row['regions'])}"
    return row | {"message": f"{used}; {row['message']}"[: month.MAX_IMAGE_MESSAGE]}


def _prove(ctx: OrchestrationContext, build: BuildInput) -> Steps[Stage]:
    proof_input = ProofInput(build.definition, build.version or "")
    instance_id = month.child_id("proof", build.period, ctx.new_uuid())
    try:
        stage = yield ctx.call_sub_orchestrator(
            durable_names.PROVE_VERSION, input=proof_input.to_json(), instance_id=instance_id
        )
    except TaskFailedError as error:
        return Stage(StageState.FAILED, MonthReason.BROKEN, f"its proof broke off: {error}"[:200])
    return Stage.from_json(stage)


def _keep_out(ctx: OrchestrationContext, build: BuildInput, row: Row, proof: Stage) -> Steps[Row]:
    """Leave a version excluded: for good if its disk was unhealthy, else until the next run."""
    message = f"version {row['version']} stays excluded from latest: {proof.message}"
    row = row | {"decision": month.FAILED, "reason": str(MonthReason.NOT_PROVEN), "evidence": list(proof.evidence)}
    if proof.reason != MonthReason.BUILD_FAILED:
        return row | {"message": f"{message[:900]}; run again"}
    yield from _settle(ctx, durable_names.ADMIT_VERSION, {**build.to_json(), "passed": False})
    return _add_commands(row | {"message": message[: month.MAX_IMAGE_MESSAGE]}, (delete_command(build.version or ""),))


def _give_up(ctx: OrchestrationContext, build: BuildInput, row: Row) -> Steps[Row]:
    """Delete what a failed build made and no disk can use; add commands for what cannot be deleted.

    Nothing is deleted where the version can still be made or belongs to another run.
    """
    if build.kept or row["reason"] not in _OVER:
        return row
    settled = yield from _settle(ctx, durable_names.DISCARD_VERSION, build.to_json())
    message = (
        f"{row['message']}; {settled['message']}"[: month.MAX_IMAGE_MESSAGE]
        if settled.get("message")
        else row["message"]
    )
    return _add_commands(row | {"message": message}, settled.get("by_hand", ()))


def _settle(ctx: OrchestrationContext, activity: str, data: dict[str, Any]) -> Steps[dict[str, Any]]:
    """Call an activity until it does not answer `waiting`, at most `READS_AT_END` times; its last answer."""
    answer: dict[str, Any] = {}
    for _ in range(READS_AT_END):
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
