"""Runs a swap scenario in which the durable hub loses all its data, and checks the end.

Decides what one sweep must do for a VM whose swap is known only from its tags, and what must hold afterwards.
"""

from __future__ import annotations

import asyncio
from typing import Any, override

from simulator.durable import DurableHub, WorkerDied
from tests.support.chaos.boundaries import Boundary, BoundaryRecorder
from tests.support.chaos.crash_scenarios import BAD, Story, boundaries_of
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

# Longer than any operation of Azure that has begun; the sweep runs every five minutes.
SETTLED_S = 400.0


class LoseHubAt(BoundaryRecorder):
    """Deletes all data of the hub at the boundary with this number."""

    def __init__(self, hub: DurableHub, number: int) -> None:
        super().__init__()
        self._hub, self._number = hub, number
        self.lost: tuple[Boundary, asyncio.Task[None]] | None = None

    @override
    def reached(self, boundary: Boundary) -> None:
        super().reached(boundary)
        if len(self.seen) - 1 == self._number:
            self.lost = boundary, asyncio.get_running_loop().create_task(self._hub.lose_storage())
            raise WorkerDied(after_s=1e6)


def loss_boundaries(story: Story) -> list[int]:
    """The boundaries around the scenario's activities: only activities change a VM."""
    return [number for number, one in enumerate(boundaries_of(story)) if one.kind == "activity"]


def lose_hub_in(story: Story, number: int) -> None:
    """Run a scenario, lose the hub at that boundary, sweep, and check the end."""

    async def main(azure: LocalAzure) -> None:
        azure.hub.interruptions = loss = LoseHubAt(azure.hub, number)
        azure.simulator.services.faults.add([BAD])
        await azure.tag(VM_ID, OsDiskName=story.wish)
        for _ in range(1200):
            if loss.lost is not None:
                break
            await asyncio.sleep(1)
        else:
            return  # this run had fewer boundaries
        where, deletion = loss.lost
        await deletion
        await asyncio.sleep(SETTLED_S)
        await _one_sweep(azure, story, where)
        await azure.fire("sweep")
        await azure.settled()
        await _assert_ended(azure, story, where)

    play(main, [vm_body(power=story.power), disk_body("web01-new"), disk_body("web01-bad")])


async def _one_sweep(azure: LocalAzure, story: Story, where: Boundary) -> None:
    """Check that the first sweep starts a VM that is down, before any other write to it."""
    down, before = await azure.power(VM_ID) != "running", len(azure.simulator.journal.requests)
    await azure.fire("sweep")
    await azure.settled()
    assert await azure.power(VM_ID) == story.power, f"{where}: {azure.outcomes()}"
    writes = _writes(azure.simulator.journal.requests[before:])
    if down and story.power == "running":
        assert writes[0].endswith("/start"), f"{where}: {writes}"
        assert azure.outcomes()[0]["reason"] == "recover", f"{where}: {azure.outcomes()}"


async def _assert_ended(azure: LocalAzure, story: Story, where: Boundary) -> None:
    tags, outcomes, disk = (await azure.vm(VM_ID))["tags"], azure.outcomes(), await azure.os_disk(VM_ID)
    text = f"lost {where}: {disk}, {tags}, {[(row['status'], row['message']) for row in outcomes]}"
    assert await azure.power(VM_ID) == story.power, text
    # A new disk that was attached before the loss stays, as the tag names it; that it was not proved is lost as well.
    assert disk in (story.disk, story.wish), text
    assert tags["OsDiskName"] == disk, text
    assert "RefreshState" not in tags, text
    # At most the whole scenario once more, and then nothing is left to do.
    assert azure.journal(VM_ID)["stops"] <= 2 * story.stops, text
    assert len(outcomes) <= 2, text
    assert azure.idle(), text
    assert azure.dispatcher_state().get("bad") is None, azure.dispatcher_state()["bad"]


def _writes(requests: list[dict[str, Any]]) -> list[str]:
    """The writes to the VM itself, without its tags."""
    vm = [row for row in requests if VM_ID.lower() in row["path"].lower() and row["method"] in ("POST", "PATCH", "PUT")]
    return [row["path"] for row in vm if "/tags/" not in row["path"] and "retrieve" not in row["path"]]
