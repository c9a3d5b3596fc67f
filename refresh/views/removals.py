"""What may be deleted, or was, as people see it: what goes first, the dearest on top, then what stays and why.

Decides the order of the rows and how a plan adds up. Refuses to judge (`domain.retention`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from refresh.records.retention import DELETE, DELETED, DELETING, FAILED, summary_of

type Json = dict[str, Any]

ROW = ("kind", "id", "decision", "reason", "message", "size_gb", "monthly_usd")
_FIRST = (FAILED, DELETE, DELETED, DELETING)


def retention_plan(rows: Sequence[Mapping[str, Any]], in_use: int) -> Json:
    """The answer of a dry run; `in_use` disks are not listed, because VMs have them."""
    told = summary_of(rows)
    return {
        "plan": removal_rows(rows),
        "deletable": told["deletable"],
        "size_gb": told["size_gb"],
        "monthly_usd": told["monthly_usd"],
        "in_use": in_use,
    }


def removal_rows(rows: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Rows with every field they may have, in order."""
    full: list[Json] = [{**dict.fromkeys(ROW), **{key: row[key] for key in ROW if key in row}} for row in rows]
    return sorted(
        full, key=lambda row: (row["decision"] not in _FIRST, -(row["monthly_usd"] or 0.0), row["id"].lower())
    )
