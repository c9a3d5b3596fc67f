"""One image version: choose it once, begin it, look every minute until it has arrived everywhere.

Decides how long a build may take. Azure takes some seven minutes for the version and up to hours for its replication,
so waiting is done in durable timers and in a fresh history every hour. The continuation token is an activity's output
and stays in the history it came in: after that hour a failure is told without Azure's own words.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task

from refresh import month_messages as month
from refresh.domain import instant
from refresh.domain.month_reason import MonthReason
from refresh.month_messages import BuildInput
from refresh.orchestrations.calls import now

LOOK_EVERY = timedelta(seconds=60)
LOOKS_PER_HISTORY = 60
BUDGET_S = 4 * 3600.0


def build_image(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Carry a `BuildInput` to its end and answer its `ImageRow`."""
    build = BuildInput.from_json(data)
    token: str | None = None
    if build.version is None:
        planned = yield ctx.call_activity(month.PLAN_VERSION, input=build.to_json())
        if "row" in planned:
            return dict(planned["row"])
        build = replace(BuildInput.from_json(planned["build"]), since=now(ctx))
        if not build.kept:
            begun = yield ctx.call_activity(month.BEGIN_VERSION, input=build.to_json())
            if "row" in begun:
                return dict(begun["row"])
            token = begun.get("token")
    return (yield from _watch(ctx, build, token))


def _watch(
    ctx: OrchestrationContext, build: BuildInput, token: str | None
) -> Generator[Task[Any], Any, dict[str, Any]]:
    for _ in range(LOOKS_PER_HISTORY):
        seen = yield ctx.call_activity(month.WATCH_VERSION, input=build.to_json())
        row: dict[str, Any] = seen["row"]
        if seen["standing"] == "done":
            return row
        if seen["standing"] == "failed":
            return (yield from _explain(ctx, build, row, token))
        waited_s = instant.seconds_between(build.since, now(ctx)) or 0.0
        if waited_s >= BUDGET_S:
            why = f"{row['message']} after {waited_s / 3600:.1f} h; run again to go on waiting for it"
            return row | {"reason": str(MonthReason.TIMED_OUT), "message": why}
        yield ctx.create_timer(LOOK_EVERY)
    ctx.continue_as_new(build.to_json())
    return {}


def _explain(
    ctx: OrchestrationContext, build: BuildInput, row: dict[str, Any], token: str | None
) -> Generator[Task[Any], Any, dict[str, Any]]:
    if row["reason"] != MonthReason.BUILD_FAILED:
        return row
    told = yield ctx.call_activity(month.EXPLAIN_VERSION, input={"version": build.version, "token": token})
    return row | {"message": f"{row['message']}: {told['why']}"[:300]}
