"""The records of retention that cross Durable: inputs, rows and the result.

Decides their fields and JSON names. Leaves what is kept or deleted to the domain.

A result is `{"kind": "retention", "status", "deleted", "monthly_usd", "in_use", "resources": [ResourceRow]}`; a dry
run has the same rows. Resources in use by VMs are counted, not listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from refresh.records.record import JSON_KEY, Record

DISK, VERSION = "disk", "version"
# The decision about a resource, and the result.
KEEP, DELETE, DELETING, DELETED, FAILED = "keep", "delete", "deleting", "deleted", "failed"

DISKS_PER_ACTIVITY = 20
VERSIONS_PER_ACTIVITY = 20
_MAX_MESSAGE = 200


@dataclass(frozen=True)
class RetentionInput(Record):
    """The input of `apply_retention`: list resources, or with `delete` also delete those listed as deletable.

    `disks` and `versions` are the ids that a long run still has to delete, `rows` the rows of those it has finished;
    the JSON key of `rows` is `told`, because runs under way have it in their histories.
    """

    delete: bool = False
    planned: bool = False
    disks: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = field(default=(), metadata={JSON_KEY: "told"})


@dataclass(frozen=True)
class DeletionInput(Record):
    """The `ids` to delete, those the dispatcher state refers to (`held`, id to why), and definitions being built."""

    ids: tuple[str, ...]
    held: dict[str, str] | None = None
    building: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResourceRow(Record):
    """The decision about one disk or image version, or its result, and why.

    `monthly_usd` is a rough price for one month, by public list prices.
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
    """How many were deleted or would be, and what they cost in a month; one failed row makes the status `failed`."""
    listed = list(rows)
    gone = [row for row in listed if row["decision"] in (DELETE, DELETED)]
    return {
        "status": "failed" if any(row["decision"] == FAILED for row in listed) else "succeeded",
        "deleted": sum(row["decision"] == DELETED for row in listed),
        "deletable": sum(row["decision"] == DELETE for row in listed),
        "size_gb": sum(row.get("size_gb") or 0 for row in gone),
        "monthly_usd": round(sum(row.get("monthly_usd") or 0.0 for row in gone), 2),
    }
