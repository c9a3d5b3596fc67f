"""The previous disk of a VM is kept for it: while its new disk is unproven, and for some days after the proof."""

from __future__ import annotations

import asyncio

import pytest

from refresh.domain.vm.reservation import Hold, judge_hold
from tests.e2e.test_rollback import rows_of, run, swap, tags_of
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID, disk_id, make_disk, make_vm
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

WEB02 = VM_ID.replace("web01", "web02")
DISKS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-disks"
FLEET = [vm_body(), disk_body("web01-new"), vm_body("web02"), disk_body("web02-new")]


async def refusal_of(azure: LocalAzure, wish: str, vm_id: str = WEB02) -> tuple[str, str]:
    """Reason and message of the row of a VM that is asked to run `wish`."""
    record = await run(azure, "/api/swap", {"vms": [vm_id], "disk": wish})
    (row,) = record["vms"]
    return row["reason"], row["message"]


@pytest.mark.parametrize("days", ["7", "0"])
def test_another_vms_wish_is_refused_by_name(days: str) -> None:
    """Web02 may not have the disk that web01 ran before; with 0 days it may after the proof."""

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        await azure.settled()
        if days != "0":
            reason, message = await refusal_of(azure, "web01-old")
            assert (reason, "VM web01" in message) == ("disk-reserved", True), message
            _, plan = await azure.api("POST", "/api/swap", {"vms": [WEB02], "disk": "web01-old", "dryRun": True})
            assert plan["plan"][0]["reason"] == "disk-reserved"
            assert await azure.os_disk(WEB02) == "web02-old"
            return
        assert (await refusal_of(azure, "web01-old"))[0] == "verified"
        assert await azure.os_disk(WEB02) == "web01-old"

    play(story, FLEET, settings={"REFRESH_PREVIOUS_RESERVED_DAYS": days})


@pytest.mark.parametrize("days", ["7", "0"])
def test_the_previous_disk_of_an_unproven_vm_is_kept(days: str) -> None:
    """A VM that was swapped while stopped keeps its way back until its proof, and from then on for the days."""

    async def story(azure: LocalAzure) -> None:
        await run(azure, "/api/swap", {"vms": [VM_ID], "disk": "web01-new"})
        await azure.settled()
        assert (await refusal_of(azure, "web01-old"))[0] == "disk-reserved"
        await azure.arm("POST", f"{VM_ID}/start")
        await azure.fire("sweep")
        await azure.settled()
        await asyncio.sleep(600)
        await azure.fire("sweep")
        await azure.settled()
        reason, _ = await refusal_of(azure, "web01-old")
        assert (reason == "disk-reserved") == (days == "7")
        assert await azure.os_disk(WEB02) == ("web02-old" if days == "7" else "web01-old")

    play(story, [vm_body(power="deallocated"), *FLEET[1:]], settings={"REFRESH_PREVIOUS_RESERVED_DAYS": days})


def test_a_previous_disk_in_another_group_is_kept_too() -> None:
    """The VM that holds it is found in whatever group it is."""
    vm = vm_body()
    old = disk_id("web01-old", DISKS)
    vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"] = old
    other = vm_body("web09")
    other["id"] = other["id"].replace("rg-app", "rg-disks")
    other["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"] = disk_id("web09-old", DISKS)
    disks = [{**disk_body(name), "id": disk_id(name, DISKS)} for name in ("web01-old", "web09-old")]

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        await azure.settled()
        reason, message = await refusal_of(azure, "web01-old", other["id"])
        assert (reason, "VM web01" in message) == ("disk-reserved", True), message
        assert rows_of(await run(azure, "/api/rollback", {"vms": [VM_ID]})) == {"web01": ("succeeded", "verified")}

    play(story, [vm, other, *disks, disk_body("web01-new")])


def test_a_disk_that_no_vm_holds_any_more_is_free() -> None:
    """After the next swap the disk before the last one is no way back, and another VM may have it."""

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        await swap(azure, "web01-newer")
        assert (await tags_of(azure))["OsDiskPrevious"] == "web01-new"
        assert (await refusal_of(azure, "web01-new"))[0] == "disk-reserved"
        assert (await refusal_of(azure, "web01-old"))[0] == "verified"

    play(story, [*FLEET, disk_body("web01-newer")])


@pytest.mark.parametrize(
    ("hold", "owned_since", "days", "kept"),
    [
        (Hold(), None, 7, True),
        (Hold(), "2026-11-20T10:00:00Z", 7, True),
        (Hold(), "2026-11-10T10:00:00Z", 7, False),
        (Hold(since="2026-11-20T10:00:00Z"), "2026-11-10T10:00:00Z", 7, True),
        (Hold(since="2026-11-10T10:00:00Z"), "2026-11-20T10:00:00Z", 7, False),
        (Hold(since="2026-11-20T10:00:00Z"), "2026-11-20T10:00:00Z", 0, False),
        (Hold(since="2026-01-01T10:00:00Z", unproven=True), "2026-01-01T10:00:00Z", 0, True),
    ],
)
def test_how_long_a_disk_is_kept(hold: Hold, owned_since: str | None, days: int, kept: bool) -> None:
    """By the recorded proof, else by the disk's last owner; an unknown time, and a VM that is not proved, keep it."""
    found = judge_hold(make_disk(owned_since=owned_since), make_vm(), hold, "2026-11-21T10:00:00+00:00", days)
    assert (found is not None) == kept
