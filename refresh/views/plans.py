"""The answer of a dry run: what each VM would get, the steps, how many disks, how many seconds down in all.

Decides how the rows of a plan add up. Does not know how the plan was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from refresh.views.dispatcher_state import DispatcherView
from refresh.views.vms import RECORD, stop_record

type Json = dict[str, Any]

CREATE_DISK = "create-disk"


def disk_record(row: Mapping[str, Any], new_disk: str | None, dispatcher: DispatcherView) -> Json:
    """The row of the monthly refresh about a VM as a VM record; `new_disk` is the id of the disk to be made for it."""
    return {
        **dict.fromkeys(RECORD),
        **row,
        "run": dispatcher.run_of(str(row["vm"])),
        "checks": [],
        **stop_record(),
        "steps": [CREATE_DISK] if new_disk else [],
        "down_s": 0.0,
        "new_disk": new_disk,
    }


def swap_record(disk_row: Mapping[str, Any], swap: Mapping[str, Any]) -> Json:
    """The record of a VM that gets a disk and is swapped to it."""
    return {
        **disk_row,
        **swap,
        "steps": [*disk_row["steps"], *swap["steps"]],
        "new_disk": swap["new_disk"] or disk_row["new_disk"],
    }


def dry_run(plan: Sequence[Mapping[str, Any]], images: Sequence[Mapping[str, Any]] | None = None) -> Json:
    """The answer of a dry run: its rows, how many disks it would add, and the sum of the seconds its VMs are down."""
    answer: Json = {
        "plan": list(plan),
        "disks_added": sum(CREATE_DISK in row.get("steps", ()) for row in plan),
        "down_s": round(sum(float(row.get("down_s") or 0.0) for row in plan), 1),
    }
    return answer if images is None else {**answer, "images": list(images)}
