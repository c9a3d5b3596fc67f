"""A disk that a VM has run is a way back in whatever resource group it lies; a rejected disk never is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.test_rollback import rows_of, run, swap, tags_of
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

DISKS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-disks"
OLD = disk_id("web01-old", DISKS)


async def is_settled(azure: LocalAzure) -> bool:
    return bool((await azure.vm(VM_ID))["properties"]["provisioningState"] == "Succeeded")


def moved_fleet(power: str = "running") -> list[dict[str, Any]]:
    """A VM whose OS disk lies in another resource group."""
    vm = vm_body(power=power)
    vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"] = OLD
    return [vm, {**disk_body("web01-old"), "id": OLD}, disk_body("web01-new"), disk_body("web01-bad")]


@pytest.mark.parametrize("power", ["running", "deallocated"])
@pytest.mark.parametrize("way", ["tag", "rollback", "run", "id"])
def test_the_first_swap_of_a_vm_whose_disk_lies_elsewhere_has_a_way_back(way: str, power: str) -> None:
    """By the tag edit `@previous`, by a rollback of the VM or of the run, and by the disk's full id."""

    async def story(azure: LocalAzure) -> None:
        given = await run(azure, "/api/swap", {"vms": [VM_ID], "disk": "web01-new"})
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        if way in ("tag", "id"):
            await azure.tag(VM_ID, OsDiskName="@previous" if way == "tag" else OLD)
        else:
            body = {"run": given["id"]} if way == "run" else {"vms": [VM_ID]}
            await run(azure, "/api/rollback", body)
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-old"
        _, record = await azure.api("GET", f"/api/vms?vm={VM_ID}")
        assert record["reason"] == ("already-there" if power == "running" else record["reason"])
        assert (await tags_of(azure))["OsDiskName"] == OLD

    play(story, moved_fleet(power))


def test_after_an_automatic_way_back_the_vm_is_in_order() -> None:
    """The tag names the old disk of the other group again, which the VM runs."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-old"
        _, record = await azure.api("GET", f"/api/vms?vm={VM_ID}")
        assert (record["decision"], record["reason"]) == ("skip", "already-there")

    play(story, moved_fleet())


def test_a_disk_of_another_group_that_the_vm_did_not_run_is_refused() -> None:
    """Also when `OsDiskPrevious`, which everyone who tags the VM can write, names it."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskPrevious=disk_id("other", DISKS), OsDiskName="@previous")
        await azure.settled()
        _, record = await azure.api("GET", f"/api/vms?vm={VM_ID}")
        assert record["reason"] == "disk-outside-group"
        back = await run(azure, "/api/rollback", {"vms": [VM_ID]})
        assert rows_of(back)["web01"][0] != "succeeded"
        assert await azure.os_disk(VM_ID) == "web01-old"

    play(story, [*moved_fleet(), {**disk_body("other"), "id": disk_id("other", DISKS)}])


def test_a_way_back_that_fails_is_no_previous_disk_any_more() -> None:
    """After a rollback to a disk that does not boot `OsDiskPrevious` does not name it, and it is not tried again."""

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        azure.simulator.services.faults.add([{"disk": "web01-old", "boots": False}])
        back = await run(azure, "/api/rollback", {"vms": [VM_ID]})
        assert rows_of(back) == {"web01": ("rolled-back", "unhealthy")}
        await azure.settled()
        shown = await tags_of(azure)
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert (shown.get("OsDiskPrevious", ""), shown["OsDiskRejected"]) == ("", "web01-old")
        for body in ({"vms": [VM_ID]}, {"vms": [VM_ID], "force": True}):
            again = await run(azure, "/api/rollback", body)
            assert rows_of(again) == {"web01": ("skipped", "no-previous")}
        assert azure.journal(VM_ID)["stops"] == 3

    play(story, [vm_body(), disk_body("web01-new")])


@pytest.mark.parametrize("previous", [None, "web01-older"])
def test_the_swap_away_from_a_rejected_disk_does_not_name_it(previous: str | None) -> None:
    """A VM that was left on a bad disk gets a good one: `OsDiskPrevious` keeps the disk before the bad one."""

    async def story(azure: LocalAzure) -> None:
        if previous is not None:
            await swap(azure, "web01-first")
        before = (await tags_of(azure)).get("OsDiskPrevious")
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.settled()
        # The owner puts the bad disk in by hand, and mends it.
        azure.simulator.services.faults.clear()
        await azure.tag(VM_ID, AutoRefresh="hold")
        await azure.arm("POST", f"{VM_ID}/deallocate")
        await azure.until(lambda: is_settled(azure))
        os_disk = {"name": "web01-bad", "managedDisk": {"id": disk_id("web01-bad")}}
        await azure.arm("PATCH", VM_ID, {"properties": {"storageProfile": {"osDisk": os_disk}}})
        await azure.until(lambda: is_settled(azure))
        await azure.tag(VM_ID, OsDiskName="web01-new", AutoRefresh="true")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert (await tags_of(azure)).get("OsDiskPrevious") == before
        assert "web01-bad" not in str(before)

    play(story, [vm_body(), disk_body("web01-first"), disk_body("web01-bad"), disk_body("web01-new")])
