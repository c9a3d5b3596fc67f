"""What crosses Durable in retention: names, inputs and rows; its base is `messages`.

Decides how these are spelled. Refuses to know what anybody does with them.

A result is `{"kind": "retention", "status", "deleted", "monthly_usd", "in_use", "resources": [ResourceRow]}`; a dry
run's rows are the same rows. What VMs use is counted, not listed: nobody asks why a disk that runs was not deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from refresh.records.record import Record

# Orchestration.
APPLY_RETENTION = "apply_retention"
# Activities.
PLAN_RETENTION = "plan_retention"
FIND_HOLDERS = "find_holders"
DELETE_DISKS = "delete_disks"
DELETE_VERSIONS = "delete_versions"
WATCH_DELETIONS = "watch_deletions"

DISK, VERSION = "disk", "version"
# What is decided about a resource, and what became of it.
KEEP, DELETE, DELETING, DELETED, FAILED = "keep", "delete", "deleting", "deleted", "failed"

DISKS_PER_ACTIVITY = 20
VERSIONS_PER_ACTIVITY = 20
_MAX_MESSAGE = 200


@dataclass(frozen=True)
class RetentionInput(Record):
    """What `apply_retention` is asked: only to list, or with `delete` to delete what is listed as deletable.

    `disks` and `versions` are ids still to be deleted and `told` the rows of those dealt with: how far a long run is.
    """

    delete: bool = False
    planned: bool = False
    disks: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    told: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class DeletionInput(Record):
    """What to delete (`ids`), what the dispatcher's book holds of it (id to why), definitions that are `building`."""

    ids: tuple[str, ...]
    held: dict[str, str] | None = None
    building: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResourceRow(Record):
    """What is decided about one disk or image version, or became of it, and why.

    `size_gb` is its size, `monthly_usd` what it costs in a month, roughly, by public list prices.
    """

    kind: str
    id: str
    decision: str
    reason: str
    message: str
    size_gb: int | None = None
    monthly_usd: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The row with its message cut to a sentence."""
        return super().to_json() | {"reason": str(self.reason), "message": self.message[:_MAX_MESSAGE]}


def summary_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """How many were deleted or would be, and what they cost in a month; a failure makes the status `failed`."""
    told = list(rows)
    gone = [row for row in told if row["decision"] in (DELETE, DELETED)]
    return {
        "status": "failed" if any(row["decision"] == FAILED for row in told) else "succeeded",
        "deleted": sum(row["decision"] == DELETED for row in told),
        "deletable": sum(row["decision"] == DELETE for row in told),
        "size_gb": sum(row.get("size_gb") or 0 for row in gone),
        "monthly_usd": round(sum(row.get("monthly_usd") or 0.0 for row in gone), 2),
    }
