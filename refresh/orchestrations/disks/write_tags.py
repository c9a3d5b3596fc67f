"""The month's tags: `OsDiskName` on every VM whose new disk is ready, and a hint to the dispatcher for each.

Event Grid reports these writes too, but later and sometimes twice, so the app sends hints for its own writes.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import batched
from typing import Any

from durabletask.task import OrchestrationContext, Task

from refresh.orchestrations.shared.bulk import Rows, work_through
from refresh.orchestrations.shared.dispatcher_calls import tell
from refresh.records import durable_names, month, swap


def write_tags(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Write the tags of a `MonthInput`; the result lists every VM, `create` where the tag was written."""
    return (yield from work_through(ctx, data, "tags", durable_names.WRITE_DISK_TAGS, _hint))


def _hint(ctx: OrchestrationContext, rows: Rows) -> None:
    written = [row["vm"] for row in rows if row["decision"] == month.CREATE]
    for batch in batched(written, swap.VMS_PER_SIGNAL, strict=False):
        tell(ctx, "hint", vms=list(batch), why="tags written")
