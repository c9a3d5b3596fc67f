"""A fleet whose events do not arrive: each of its edits is found by a sweep of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, vm_body

NAMES = ("web01", "web02", "web03")


def fleet() -> list[dict[str, Any]]:
    """Three VMs, each with a disk to ask for."""
    return [body for name in NAMES for body in (vm_body(name), disk_body(f"{name}-new"))]


async def edit_and_sweep(azure: LocalAzure, names: Sequence[str] = NAMES) -> None:
    """Edit one VM after the other; after each edit the sweep comes, and its swap ends."""
    for name in names:
        await azure.tag(VM_ID.replace("web01", name), OsDiskName=f"{name}-new")
        await azure.fire("sweep")
        await azure.settled()
