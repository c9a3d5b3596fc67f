"""The month's image versions: one build for every image definition in the monthly build, at most ten at once."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from refresh.domain.terms import names, resource_id
from refresh.domain.terms.month_reason import MonthReason
from refresh.orchestrations.shared.bulk import Rows, bad_period, period_of
from refresh.records import durable_names, month, swap
from refresh.records.month import BuildInput, ImageRow, MonthInput


def create_images(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Build the versions of a `MonthInput`; the result lists every definition.

    With `vms` only the definitions that these VMs use are built.
    """
    request = MonthInput.from_json(data)
    period = period_of(ctx, request.period)
    if not names.is_period(period):
        return bad_period("images", period)
    found = yield ctx.call_activity(durable_names.LIST_BUILDS, input={"vms": list(request.vms)} if request.vms else {})
    if found.get("problem"):
        return month.failure_of("images", period, found["problem"])
    demand = found["demand"]
    builds = [
        BuildInput(one, period, _regions_of(found, one), request.force_rebuild, demand=demand.get(one))
        for one in found["definitions"]
    ]
    rows = yield from _build_all(ctx, builds)
    return month.result_of("images", period, {"images": [*found["rows"], *rows]})


def _regions_of(found: Mapping[str, Any], definition: str) -> tuple[str, ...]:
    """The regions of the VMs that can need a disk from a definition. An older app listed those of all VMs only."""
    return tuple(found["regions_of"][definition] if "regions_of" in found else found["regions"])


def _build_all(ctx: OrchestrationContext, builds: Sequence[BuildInput]) -> Generator[Task[Any], Any, Rows]:
    waiting = list(reversed(builds))
    running: list[tuple[Task[Any], BuildInput]] = []
    rows: dict[str, dict[str, Any]] = {}
    while waiting or running:
        while waiting and len(running) < swap.BULK_ACTIVITIES_OUTSTANDING:
            build = waiting.pop()
            running.append((_start(ctx, build), build))
        winner = yield when_any([task for task, _ in running])
        build = next(build for task, build in running if task is winner)
        running = [(task, other) for task, other in running if task is not winner]
        rows[build.definition] = _row_of(winner, build)
    return [rows[build.definition] for build in builds]


def _start(ctx: OrchestrationContext, build: BuildInput) -> Task[Any]:
    # A new id each time: a parent that starts a child under the id of a running one would wait for ever. Two runs never
    # make two versions because of `begin_version`.
    hashed = resource_id.id_hash(build.definition)
    instance_id = month.child_id("build", f"{build.period}-{hashed}", ctx.new_uuid())
    return ctx.call_sub_orchestrator(durable_names.BUILD_IMAGE, input=build.to_json(), instance_id=instance_id)


def _row_of(task: Task[Any], build: BuildInput) -> dict[str, Any]:
    try:
        row: dict[str, Any] = task.get_result()
    except TaskFailedError as error:
        message = f"the build broke off and may be half done; run it again ({str(error)[:100]})"
        return ImageRow(build.definition, month.FAILED, MonthReason.BROKEN, message).to_json()
    return row
