"""The disks and image versions that may be deleted, or were: these first, the most expensive on top, then the others.

Decides the order of the rows and how a plan adds up. Leaves what may be deleted to `domain.retention`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from refresh.records.retention import DELETE, DELETED, DELETING, FAILED, summary_of

type Json = dict[str, Any]

ROW = ("kind", "id", "decision", "reason", "message", "size_gb", "monthly_usd")
_FIRST = (FAILED, DELETE, DELETED, DELETING)


def retention_plan(rows: Sequence[Mapping[str, Any]], in_use: int) -> Json:
    """The answer of a dry run; `in_use` disks are not listed, because VMs use them."""
    summary = summary_of(rows)
    return {
        "plan": removal_rows(rows),
        "deletable": summary["deletable"],
        "size_gb": summary["size_gb"],
        "monthly_usd": summary["monthly_usd"],
        "in_use": in_use,
    }


def removal_rows(rows: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Rows with every field they may have, in order."""
    full: list[Json] = [{**dict.fromkeys(ROW), **{key: row[key] for key in ROW if key in row}} for row in rows]
    return sorted(
        full, key=lambda row: (row["decision"] not in _FIRST, -(row["monthly_usd"] or 0.0), row["id"].lower())
    )
