"""A fleet without events: a sweep after each tag edit finds the edit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, vm_body

NAMES = ("web01", "web02", "web03")


def fleet() -> list[dict[str, Any]]:
    """Three VMs, each with a new disk."""
    return [body for name in NAMES for body in (vm_body(name), disk_body(f"{name}-new"))]


async def edit_and_sweep(azure: LocalAzure, names: Sequence[str] = NAMES) -> None:
    """Edit the tag of one VM after the other; after each edit run the sweep and wait for the end of the swap."""
    for name in names:
        await azure.tag(VM_ID.replace("web01", name), OsDiskName=f"{name}-new")
        await azure.fire("sweep")
        await azure.settled()
