"""A story of one swap in the middle of which the durable hub loses everything, and how that has to end.

Decides what one sweep may do for a VM of which only the tag tells, and what must be so in the end.
"""

from __future__ import annotations

import asyncio
from typing import Any, override

from simulator.durable import DurableHub, WorkerDied
from tests.support.chaos.boundaries import Boundary, Watch
from tests.support.chaos.crash_stories import BAD, Story, boundaries_of
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

# Longer than Azure takes for whatever was begun; the sweep comes every five minutes.
SETTLED_S = 400.0


class LoseHubAt(Watch):
    """The hub forgets everything at the boundary with this number."""

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


def places_to_lose_it(story: Story) -> list[int]:
    """The boundaries around the story's activities: nothing is done to a VM anywhere else."""
    return [number for number, one in enumerate(boundaries_of(story)) if one.kind == "activity"]


def lose_hub_in(story: Story, number: int) -> None:
    """Tell a story, lose the hub at that boundary, sweep, and hold the app to what it promises then."""

    async def main(azure: LocalAzure) -> None:
        azure.hub.interruptions = loss = LoseHubAt(azure.hub, number)
        azure.simulator.services.faults.add([BAD])
        await azure.tag(VM_ID, OsDiskName=story.wish)
        for _ in range(1200):
            if loss.lost is not None:
                break
            await asyncio.sleep(1)
        else:
            return  # this time the story was shorter
        where, forgetting = loss.lost
        await forgetting
        await asyncio.sleep(SETTLED_S)
        await _one_sweep(azure, story, where)
        await azure.fire("sweep")
        await azure.settled()
        await _assert_ended(azure, story, where)

    play(main, [vm_body(power=story.power), disk_body("web01-new"), disk_body("web01-bad")])


async def _one_sweep(azure: LocalAzure, story: Story, where: Boundary) -> None:
    """Whatever is down after the loss is started by the first sweep, and started before anything else is done."""
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
    told = f"lost {where}: {disk}, {tags}, {[(row['status'], row['message']) for row in outcomes]}"
    assert await azure.power(VM_ID) == story.power, told
    # A new disk that was in place by then is what the tag asks for; that it was never proved is forgotten too.
    assert disk in (story.disk, story.wish), told
    assert tags["OsDiskName"] == disk, told
    assert "RefreshState" not in tags, told
    # At most the whole story once more, and then nothing is asked for.
    assert azure.journal(VM_ID)["stops"] <= 2 * story.stops, told
    assert len(outcomes) <= 2, told
    assert azure.idle(), told
    assert azure.book().get("bad") is None, azure.book()["bad"]


def _writes(requests: list[dict[str, Any]]) -> list[str]:
    """The writes to the VM itself, tags aside."""
    vm = [row for row in requests if VM_ID.lower() in row["path"].lower() and row["method"] in ("POST", "PATCH", "PUT")]
    return [row["path"] for row in vm if "/tags/" not in row["path"] and "retrieve" not in row["path"]]
