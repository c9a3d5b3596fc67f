"""Retention: lists what is no longer needed, deletes it when the input has `delete`, and reads back what is left.

Decides the order (disks before the image versions from which they were made) and how long it waits for a deletion. Does
not judge any disk: the plan and the deleting activity do, one after the other.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.azure import polls
from refresh.domain.retention.removal_reason import RemovalReason
from refresh.domain.terms import resource_id
from refresh.records import durable_names, retention
from refresh.records.retention import DeletionInput, ResourceRow, RetentionInput

type Rows = list[dict[str, Any]]

READ_EVERY = timedelta(seconds=polls.DELETE_VERSION.every_s)
READS = int(polls.DELETE_VERSION.budget_s / polls.DELETE_VERSION.every_s)
# The history is replayed each time, so a long run continues as new after this many batches.
BATCHES_PER_HISTORY = 25


def apply_retention(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Run a `RetentionInput`; the result lists what was deleted and everything that stays, with the reason."""
    request = RetentionInput.from_json(data)
    if request.delete and not request.planned:
        planned = yield ctx.call_activity(durable_names.PLAN_RETENTION, input={})
        if planned.get("problem"):
            return _failure(planned["problem"])
        request = replace(request, planned=True, disks=tuple(planned["disks"]), versions=tuple(planned["versions"]))
    rows: Rows = list(request.rows)
    size = retention.DISKS_PER_ACTIVITY
    now, rest = request.disks[: size * BATCHES_PER_HISTORY], request.disks[size * BATCHES_PER_HISTORY :]
    for start in range(0, len(now), size):
        rows += yield from _delete(ctx, durable_names.DELETE_DISKS, now[start : start + size])
    if rest:
        ctx.continue_as_new(replace(request, disks=rest, rows=tuple(rows)).to_json())
        return {}
    for start in range(0, len(request.versions), retention.VERSIONS_PER_ACTIVITY):
        batch = request.versions[start : start + retention.VERSIONS_PER_ACTIVITY]
        begun = yield from _delete(ctx, durable_names.DELETE_VERSIONS, batch)
        rows += yield from _watch(ctx, begun)
    left = yield ctx.call_activity(durable_names.PLAN_RETENTION, input={"rows": True})
    if left.get("problem"):
        return {**_failure(left["problem"]), "resources": rows}
    listed = {row["id"].lower() for row in rows}
    rows += [row for row in left["rows"] if row["id"].lower() not in listed]
    return {"kind": "retention", **retention.summary_of(rows), "in_use": left["in_use"], "resources": rows}


def _delete(ctx: OrchestrationContext, activity: str, ids: Sequence[str]) -> Generator[Task[Any], Any, Rows]:
    kind = retention.DISK if activity == durable_names.DELETE_DISKS else retention.VERSION
    of_disks = kind == retention.DISK
    definitions = () if of_disks else dict.fromkeys(found.parent() for one in ids if (found := resource_id.parse(one)))
    query = {"disks": list(ids) if of_disks else [], "definitions": list(definitions)}
    try:
        holders = yield ctx.call_activity(durable_names.FIND_HOLDERS, input=query)
        work = DeletionInput(tuple(ids), holders["held"], tuple(holders["building"]))
        answer = yield ctx.call_activity(activity, input=work.to_json())
    except TaskFailedError as error:
        message = f"the work on it broke off; it may be deleted or not ({str(error)[:100]})"
        return [ResourceRow(kind, one, retention.FAILED, RemovalReason.BROKEN, message).to_json() for one in ids]
    rows: Rows = answer["rows"]
    return rows


def _watch(ctx: OrchestrationContext, begun: Rows) -> Generator[Task[Any], Any, Rows]:
    """The rows with the results of the deletions among them."""
    rows = {row["id"]: row for row in begun}
    for _ in range(READS):
        open_ids = [row["id"] for row in rows.values() if row["decision"] == retention.DELETING]
        if not open_ids:
            break
        yield ctx.create_timer(READ_EVERY)
        seen = yield ctx.call_activity(durable_names.WATCH_DELETIONS, input={"versions": open_ids})
        for one in seen["gone"]:
            rows[one] = rows[one] | {"decision": retention.DELETED, "reason": str(RemovalReason.DELETED)}
        for one, why in seen["stuck"].items():
            rows[one] = _failed(rows[one], RemovalReason.AZURE_SAID_NO, f"{why}; the next run tries again")
    late = f"Azure was still deleting it after {READS} minutes"
    return [
        _failed(row, RemovalReason.TIMED_OUT, late) if row["decision"] == retention.DELETING else row
        for row in rows.values()
    ]


def _failed(row: dict[str, Any], reason: RemovalReason, message: str) -> dict[str, Any]:
    return row | {"decision": retention.FAILED, "reason": str(reason), "message": message}


def _failure(problem: str) -> dict[str, Any]:
    return {"kind": "retention", "status": "failed", "message": problem[:300], "resources": []}
