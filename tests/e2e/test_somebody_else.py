"""People work on a VM while the app swaps it: it is brought to running first, and then decided about anew."""

from __future__ import annotations

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

FLEET = [vm_body(), disk_body("web01-new")]


def test_somebody_starts_a_vm_that_the_app_has_stopped() -> None:
    """Somebody's start comes between the stop and the disk: the disk goes in all the same, and the VM ends running."""

    async def story(azure: LocalAzure) -> None:
        lost = {"match": {"method": "PATCH", "path": "/web01$"}, "times": 3, "reset": True}
        azure.simulator.services.faults.add([lost])
        await azure.tag(VM_ID, OsDiskName="web01-new")

        async def is_down() -> bool:
            return await azure.power(VM_ID) == "deallocated"

        await azure.until(is_down)
        await azure.arm("POST", f"{VM_ID}/start")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] == "succeeded", outcome
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert await azure.power(VM_ID) == "running"
        begins = [row for row in azure.simulator.journal.requests if row["path"].endswith(("/start", "/deallocate"))]
        assert {row["status"] for row in begins} == {202}, "nothing was begun beside somebody's start"

    play(story, FLEET)


def test_somebody_takes_the_wish_back_while_the_vm_is_down() -> None:
    """The old disk is asked for again in the middle: the swap ends, the VM runs, and then it goes back."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
        await azure.tag(VM_ID, OsDiskName="web01-old")
        await azure.settled()
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded", "succeeded"]
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert await azure.power(VM_ID) == "running"
        assert azure.journal(VM_ID)["stops"] == 2

    play(story, FLEET)


def test_somebody_deletes_the_new_disk_while_the_vm_is_down() -> None:
    """The disk is gone when it should go in: the VM runs its old disk again, and the outcome says why."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
        await azure.arm("DELETE", f"{VM_ID.partition('/providers/')[0]}/providers/Microsoft.Compute/disks/web01-new")
        await azure.settled()
        assert azure.outcomes()[0]["status"] == "rolled-back", azure.outcomes()
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert await azure.power(VM_ID) == "running"

    play(story, FLEET)
