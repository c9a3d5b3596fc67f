"""Manual changes to a VM during its swap: the VM runs first, and then the app decides again."""

from __future__ import annotations

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

FLEET = [vm_body(), disk_body("web01-new")]


def test_an_operator_starts_a_vm_that_the_app_has_stopped() -> None:
    """After a manual start between stop and disk change the disk is still swapped in, and the VM runs."""

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
        assert {row["status"] for row in begins} == {202}, "an operation started during the manual start"

    play(story, FLEET)


def test_an_operator_takes_the_request_back_while_the_vm_is_down() -> None:
    """When the old disk is requested again during a swap, the swap ends, the VM runs, and a second swap restores it."""

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


def test_an_operator_deletes_the_new_disk_while_the_vm_is_down() -> None:
    """When the new disk is deleted before it is attached, the swap is rolled back and the VM runs its old disk."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
        await azure.arm("DELETE", f"{VM_ID.partition('/providers/')[0]}/providers/Microsoft.Compute/disks/web01-new")
        await azure.settled()
        assert azure.outcomes()[0]["status"] == "rolled-back", azure.outcomes()
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert await azure.power(VM_ID) == "running"

    play(story, FLEET)
