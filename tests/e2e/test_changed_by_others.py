"""Others change the OS disk of a VM after its tag was fulfilled: the app leaves the VM alone until it is asked."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.restored_vm import FLEET, assert_left_alone, refused, restore, restored, until_accepted
from tests.support.worlds.swap_world import assert_well, never_boots, power_is, runs_on, swapped, sweep_for


def test_a_restore_stays() -> None:
    """The restored disk stays through events and sweeps, and one event says what runs and what the two ways on are."""

    async def story(azure: LocalAzure) -> None:
        await assert_left_alone(azure, "web01-restored", tag="web01-new", stops=2)
        message = (await refused(azure))["message"]
        created = (await azure.arm("GET", disk_id("web01-restored")))["properties"]["timeCreated"]
        assert created[:19] in message, message
        assert (azure.outcomes()[0]["ended"] or "")[:19] in message, message

    restored(story)


def test_a_restore_stays_without_any_event() -> None:
    """Sweeps alone decide the same."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await sweep_for(azure, 1)
        await restore(azure)
        await sweep_for(azure, 4)
        await assert_well(azure, "web01-restored", stops=2)
        assert (await refused(azure))["reason"] == "changed-by-others"

    play(story, FLEET, events=False)


def test_a_swap_back_by_others_stays() -> None:
    """`az vm repair restore` and the portal may put the disk back that the VM ran before the app's swap."""

    async def story(azure: LocalAzure) -> None:
        assert (await swapped(azure))["status"] == "succeeded"
        await restore(azure, "web01-old")
        await assert_left_alone(azure, "web01-old", tag="web01-new", stops=2)

    play(story, FLEET)


def test_a_second_restore_is_published_again() -> None:
    """Another disk is another change."""

    async def story(azure: LocalAzure) -> None:
        await azure.settled()
        await restore(azure, "web01-next")
        await azure.settled()
        await sweep_for(azure, 2)
        await assert_well(azure, "web01-next", stops=3)
        events = [row["event"] for row in azure.simulator.published()]
        refusals = [one for one in events if one["type"] == "refresh.swap.refused"]
        assert len({one["id"] for one in refusals}) == len(refusals) == 2, refusals

    restored(story)


def test_an_edit_of_another_tag_during_a_restore_is_no_edit_of_the_disk() -> None:
    """An event in the middle of the restore changes nothing."""

    async def story(azure: LocalAzure) -> None:
        assert (await swapped(azure))["status"] == "succeeded"
        ends = asyncio.create_task(restore(azure))
        await power_is(azure, "deallocated")
        await azure.tag(VM_ID, Restored="2026-11-20")
        await ends
        await assert_left_alone(azure, "web01-restored", tag="web01-new", stops=2)

    play(story, FLEET)


def test_another_value_of_the_tag_is_an_edit() -> None:
    """A new disk, and then the old name again, are swapped in like any other."""

    async def story(azure: LocalAzure) -> None:
        await azure.settled()
        for stops, disk in ((3, "web01-next"), (4, "web01-new")):
            await azure.tag(VM_ID, OsDiskName=disk)
            await azure.settled()
            await assert_well(azure, disk, stops=stops)
        assert [one["status"] for one in azure.outcomes()] == ["succeeded"] * 3

    restored(story)


def test_previous_is_an_edit() -> None:
    """`@previous` after a restore swaps to the disk before the last swap."""

    async def story(azure: LocalAzure) -> None:
        await azure.settled()
        await azure.tag(VM_ID, OsDiskName="@previous")
        await azure.settled()
        await assert_well(azure, "web01-old", stops=3)

    restored(story)


def test_a_request_swaps_to_the_same_value() -> None:
    """`POST /api/swap` that names the VM swaps back to the tag's disk; one for `all` VMs leaves it alone."""

    async def story(azure: LocalAzure) -> None:
        await azure.settled()
        _, everywhere = await azure.api("POST", "/api/swap", {"all": True, "dryRun": True})
        assert [row["reason"] for row in everywhere["plan"]] == ["changed-by-others"]
        _, begun = await azure.api("POST", "/api/swap", {"all": True})
        await azure.settled()
        _, run = await azure.api("GET", f"/api/runs/{begun['id']}")
        assert [row["reason"] for row in run["vms"]] == ["changed-by-others"]
        await assert_well(azure, "web01-restored", stops=2)

        _, plan = await azure.api("POST", "/api/swap", {"vms": ["web01"], "dryRun": True})
        assert [row["decision"] for row in plan["plan"]] == ["swap"]
        _, begun = await azure.api("POST", "/api/swap", {"vms": ["web01"]})
        await azure.settled()
        _, run = await azure.api("GET", f"/api/runs/{begun['id']}")
        assert [row["status"] for row in run["vms"]] == ["succeeded"], run
        await assert_well(azure, "web01-new", stops=3)
        await sweep_for(azure, 2)
        await assert_well(azure, "web01-new", stops=3)

    restored(story)


def test_a_request_keeps_its_place_when_an_event_arrives() -> None:
    """While the requested swap waits in the queue, a look at the VM does not end it."""

    async def story(azure: LocalAzure) -> None:
        await azure.settled()
        await azure.api("POST", "/api/pause", {})
        _, begun = await azure.api("POST", "/api/swap", {"vms": ["web01"]})
        await azure.until(lambda: bool(azure.dispatcher_state()["queue"]))
        await azure.tag(VM_ID, Owner="team-a")
        await azure.fire("sweep")
        await asyncio.sleep(30)
        assert azure.dispatcher_state()["queue"]
        await azure.api("POST", "/api/resume", {})
        await azure.settled()
        _, run = await azure.api("GET", f"/api/runs/{begun['id']}")
        assert [row["status"] for row in run["vms"]] == ["succeeded"], run
        await assert_well(azure, "web01-new", stops=3)

    restored(story)


def test_a_restore_right_after_the_apps_own_rollback_stays() -> None:
    """The tag names the old disk again by the app's own hand, and the restored disk is another one."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-bad")])
        assert (await swapped(azure, "web01-bad"))["status"] == "rolled-back"
        assert not azure.simulator.published()[-1]["event"]["type"].endswith("refused")
        await restore(azure)
        await sweep_for(azure, 3)
        await assert_well(azure, "web01-restored", stops=3)
        assert (await refused(azure))["reason"] == "changed-by-others"

    play(story, [*FLEET, disk_body("web01-bad")])


@pytest.mark.parametrize("step", ["undo-stop", "undo-old-disk", "undo-start"])
def test_a_restore_during_the_apps_own_rollback_stays(step: str) -> None:
    """Whichever step of the way back it meets, the VM ends running on the restored disk, and the app says so once."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-bad")])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.until(lambda: any(row.get("step") == step for row in azure.running_swaps()), within_s=36000)
        await restore(azure)
        await sweep_for(azure, 3)
        assert await azure.os_disk(VM_ID) == "web01-restored"
        assert await azure.power(VM_ID) == "running"
        assert (await azure.vm(VM_ID))["tags"]["OsDiskName"] == "web01-old"
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]

    play(story, [*FLEET, disk_body("web01-bad")])


def test_a_disk_put_in_while_the_app_has_stopped_the_vm_stays() -> None:
    """The app starts the VM on the disk of the others and ends there."""

    async def story(azure: LocalAzure) -> None:
        busy = {"code": "ServerBusy", "message": "planned"}
        answer = {"status": 503, "headers": {"Retry-After": "30"}, "body": {"error": busy}}
        slow = {"match": {"method": "PATCH", "path": "/web01$"}, "times": 1, "respond": answer}
        azure.simulator.services.faults.add([slow])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: any(row["status"] == 503 for row in azure.simulator.journal.requests))
        os_disk = {"name": "web01-restored", "managedDisk": {"id": disk_id("web01-restored")}}
        await until_accepted(azure, "PATCH", VM_ID, {"properties": {"storageProfile": {"osDisk": os_disk}}})
        await azure.settled()
        await sweep_for(azure, 2)
        await assert_well(azure, "web01-restored", stops=1)

    play(story, FLEET)


def test_a_restore_while_the_new_disk_is_proved_stays() -> None:
    """The restored disk is not taken out, although the health of the new one is still open and neither disk boots."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-new"), never_boots("web01-restored")])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: any(row.get("step") == "health" for row in azure.running_swaps()))
        await restore(azure)
        await azure.settled()
        await sweep_for(azure, 2)
        assert await azure.os_disk(VM_ID) == "web01-restored"
        assert await azure.power(VM_ID) == "running"

    play(story, FLEET)


def test_a_vm_that_was_made_anew_under_its_name_has_no_memory() -> None:
    """What was fulfilled on another VM with this name does not count."""

    async def story(azure: LocalAzure) -> None:
        assert (await swapped(azure))["status"] == "succeeded"
        await azure.arm("DELETE", VM_ID)

        async def gone() -> bool:
            try:
                await azure.arm("GET", VM_ID)
            except AssertionError:
                return True
            return False

        await azure.until(gone)
        body = vm_body(OsDiskName="web01-new")
        body["properties"]["storageProfile"]["osDisk"] |= {
            "name": "web01-restored",
            "createOption": "Attach",
            "managedDisk": {"id": disk_id("web01-restored")},
        }
        made = {key: value for key, value in body.items() if not key.startswith("_") and key != "id"}
        await azure.arm("PUT", VM_ID, made)
        await runs_on(azure, "web01-new")

    play(story, FLEET)
