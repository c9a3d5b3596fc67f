"""Helpers for tests that swap `web01`: bodies, faults, waits and checks of the end.

Decides nothing about a swap. The tests state which end they expect.
"""

from __future__ import annotations

import asyncio
from typing import Any, override

from simulator.durable.worker import Interruptions, WorkerDied
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, vm_body

FLEET = [vm_body(), disk_body("web01-new")]


def failing(operation: str, *, times: int = 99, code: str = "InternalExecutionError") -> dict[str, Any]:
    """A fault that fails an operation on `web01`."""
    return {
        "match": {"operation": operation, "resource": "*web01"},
        "times": times,
        "fail": {"code": code, "message": "planned"},
    }


def never_boots(disk: str) -> dict[str, Any]:
    """A fault that keeps a VM with this OS disk from booting."""
    return {"disk": disk, "boots": False}


async def outcome_of(azure: LocalAzure) -> dict[str, Any]:
    """The first outcome, after everything has ended."""
    await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
    await azure.settled()
    return azure.outcomes()[0]


async def swapped(azure: LocalAzure, disk: str = "web01-new") -> dict[str, Any]:
    """Request a disk; the first outcome."""
    await azure.tag(VM_ID, OsDiskName=disk)
    return await outcome_of(azure)


def has_evidence(outcome: dict[str, Any], text: str) -> bool:
    """Whether a line of the outcome's evidence contains a text."""
    return any(text in line for line in outcome["evidence"])


async def power_is(azure: LocalAzure, *powers: str) -> None:
    """Wait for a power state."""

    async def reached() -> bool:
        return await azure.power(VM_ID) in powers

    await azure.until(reached)


async def runs_on(azure: LocalAzure, disk: str) -> None:
    """Wait until the VM runs on a disk."""

    async def reached() -> bool:
        return await azure.os_disk(VM_ID) == disk and await azure.power(VM_ID) == "running"

    await azure.until(reached)


async def terminate_swap(azure: LocalAzure) -> None:
    """Terminate the only running swap."""
    (row,) = azure.running_swaps()
    swaps = azure.hub.orchestrations.instances
    azure.hub.terminate(next(name for name in swaps if name.endswith(f"-{row['n']}")))


async def sweep_for(azure: LocalAzure, times: int) -> None:
    """Run sweeps at intervals of five minutes, and wait until everything has ended."""
    for _ in range(times):
        await asyncio.sleep(301)
        await azure.fire("sweep")
    await azure.settled()


async def assert_well(azure: LocalAzure, disk: str, *, stops: int, vm: str = VM_ID) -> None:
    """Assert that the VM runs on a disk after so many stops, and that nothing of a swap is left."""
    assert await azure.power(vm) == "running"
    assert await azure.os_disk(vm) == disk
    assert azure.journal(vm)["stops"] == stops
    assert "RefreshState" not in (await azure.vm(vm))["tags"]
    assert azure.dispatcher_state().get("bad") is None, azure.dispatcher_state()["bad"]
    assert azure.idle()


class DieOnceAfter(Interruptions):
    """The worker dies after an activity's first run: the effect happened, the result is lost."""

    def __init__(self, activity: str, after_s: float | None = None) -> None:
        self._activity, self._after_s = activity, after_s
        self.died = 0

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        if name == self._activity and not self.died:
            self.died += 1
            raise WorkerDied(after_s=self._after_s)
