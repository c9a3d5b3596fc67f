"""A VM that was swapped while stopped is proven when it runs, and its owner may still stop it."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.worlds.builders import VERSION_ID, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body

# The image has an agent, so a silent guest is unhealthy.
IMAGE = [*gallery_bodies({"RefreshPersonalizes": "true", "RefreshAgent": "true"}), version_body()]
FROM_IMAGE = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}
FLEET = [vm_body(power="deallocated"), disk_body("web01-new", creationData=FROM_IMAGE), *IMAGE]


async def proof_under_way(azure: LocalAzure) -> None:
    """Swap the stopped VM to a disk that never boots, start it as its owner, and wait until the proof is under way."""
    azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False}])
    await azure.tag(VM_ID, OsDiskName="web01-new")
    await azure.settled()
    await azure.arm("POST", f"{VM_ID}/start")
    await asyncio.sleep(60)
    await azure.fire("sweep")
    await azure.until(lambda: any(row.get("step") == "health" for row in azure.running_swaps()))
    await asyncio.sleep(30)


@pytest.mark.parametrize("stop", ["deallocate", "powerOff"])
def test_an_owner_may_stop_a_vm_while_its_disk_is_proven(stop: str) -> None:
    """The proof ends as not proven with the VM stopped; when the VM runs again its disk is rolled back."""

    async def story(azure: LocalAzure) -> None:
        await proof_under_way(azure)
        await azure.arm("POST", f"{VM_ID}/{stop}")
        await azure.until(lambda: len(azure.outcomes()) == 2)
        await azure.settled()
        for _ in range(3):
            await asyncio.sleep(300)
            await azure.fire("sweep")
        await azure.settled()
        assert [(row["status"], row["reason"]) for row in azure.outcomes()] == [("not-proven", "was-not-running")] * 2
        assert await azure.power(VM_ID) == ("deallocated" if stop == "deallocate" else "stopped")
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert azure.dispatcher_state().get("rejected", []) == []
        await azure.arm("POST", f"{VM_ID}/start")
        await asyncio.sleep(60)
        await azure.fire("sweep")
        await azure.until(lambda: len(azure.outcomes()) == 3)
        assert azure.outcomes()[-1]["status"] == "rolled-back"
        assert (await azure.os_disk(VM_ID), await azure.power(VM_ID)) == ("web01-old", "running")

    play(story, FLEET)


def test_a_disk_that_is_not_proven_in_time_is_rolled_back() -> None:
    """The same VM is rolled back to its old disk if it keeps running."""

    async def story(azure: LocalAzure) -> None:
        await proof_under_way(azure)
        await azure.until(lambda: len(azure.outcomes()) == 2)
        assert azure.outcomes()[-1]["status"] == "rolled-back"
        assert (await azure.os_disk(VM_ID), await azure.power(VM_ID)) == ("web01-old", "running")

    play(story, FLEET)
