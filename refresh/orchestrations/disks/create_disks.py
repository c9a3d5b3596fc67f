"""The month's disks: one for every VM in scope; a missing one is made, an existing one is kept."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from durabletask.task import OrchestrationContext, Task

from refresh.orchestrations.shared.bulk import work_through
from refresh.records import durable_names


def create_disks(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Make the disks of a `MonthInput`; the result lists every VM with its disk (`next`) or the reason for none."""
    return (yield from work_through(ctx, data, "disks", durable_names.MAKE_DISKS))
