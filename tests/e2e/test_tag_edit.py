"""A tag edit swaps a disk, with the real SDKs over HTTP, orchestrations and Event Grid payloads, without mocks."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body


def test_a_tag_edit_leads_to_a_verified_swap() -> None:
    """Writing the name of a free disk into OsDiskName stops the VM once, swaps its disk, starts and verifies it."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("succeeded", "verified"), outcome
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert await azure.power(VM_ID) == "running"
        tags = (await azure.vm(VM_ID))["tags"]
        assert tags["OsDiskPrevious"] == "web01-old"
        assert "RefreshState" not in tags
        journal = azure.journal(VM_ID)
        assert journal["stops"] == 1
        assert abs(journal["not_running_s"] - outcome["down_s"]) < 10

    play(story, [vm_body(), disk_body("web01-new")])


def test_a_disk_that_never_boots_is_rolled_back() -> None:
    """A disk whose agent never reports is in `OsDiskRejected`, and the VM runs its old disk."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        vm = await azure.vm(VM_ID)
        assert vm["properties"]["storageProfile"]["osDisk"]["name"] == "web01-old"
        assert await azure.power(VM_ID) == "running"
        assert vm["tags"] == {"AutoRefresh": "true", "OsDiskName": "web01-old", "OsDiskRejected": "web01-bad"}
        assert azure.journal(VM_ID)["stops"] == 2
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.settled()
        assert azure.journal(VM_ID)["stops"] == 2, "a rejected disk is tried once"

    play(story, [vm_body(), disk_body("web01-bad")])


def test_previous_swaps_once() -> None:
    """`@previous` is replaced by the disk's name before downtime, so the VM is not swapped back and forth."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        await azure.tag(VM_ID, OsDiskName="@previous")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-old"
        tags = (await azure.vm(VM_ID))["tags"]
        assert (tags["OsDiskName"], tags["OsDiskPrevious"]) == ("web01-old", "web01-new")
        assert azure.journal(VM_ID)["stops"] == 2

    play(story, [vm_body(), disk_body("web01-new")])


def test_a_vm_that_was_stopped_stays_stopped() -> None:
    """A deallocated VM gets its disk, stays deallocated and is reported as not proven."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("not-proven", "was-not-running"), outcome
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert await azure.power(VM_ID) == "deallocated"

    play(story, [vm_body(power="deallocated"), disk_body("web01-new")])


def test_a_vm_without_an_agent_is_not_called_healthy() -> None:
    """Without a signal of the guest the VM runs, and the outcome is not-proven."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("not-proven", "guest-not-proven"), outcome
        assert await azure.power(VM_ID) == "running"

    play(story, [vm_body(agent=False), disk_body("web01-new")])


def test_an_unknown_disk_changes_nothing() -> None:
    """A name without a disk starts no swap, and the VM keeps running."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-typo")
        await azure.settled()
        assert azure.outcomes() == []
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, [vm_body()])


def test_hold_during_a_swap_starts_the_vm_and_ends_the_swap() -> None:
    """A VM that is put on hold during its downtime is started, and its swap ends."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
        await azure.tag(VM_ID, AutoRefresh="hold")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["reason"] == "on-hold", outcome
        assert await azure.power(VM_ID) == "running"

    play(story, [vm_body(), disk_body("web01-new")])


def test_a_vm_can_be_powered_off_instead() -> None:
    """With RefreshStopMode=power-off the VM is never deallocated, and the swap is verified."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("succeeded", "verified"), outcome
        requests = azure.simulator.journal.to_json(azure.clock.now())["requests"]
        posts = [row["path"].rsplit("/", 1)[-1] for row in requests if row["method"] == "POST"]
        assert [post for post in posts if post != "retrieveBootDiagnosticsData"] == ["powerOff", "start"]

    play(story, [vm_body(RefreshStopMode="power-off"), disk_body("web01-new")])


def test_a_powered_off_vm_gets_its_old_disk_back() -> None:
    """A rollback works the same with RefreshStopMode=power-off."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert await azure.power(VM_ID) == "running"

    play(story, [vm_body(RefreshStopMode="power-off"), disk_body("web01-bad")])


@pytest.mark.parametrize(("disk", "ends_on"), [("web01-new", "web01-new"), ("web01-bad", "web01-old")])
def test_a_vm_that_is_swapped_while_stopped_is_proven_when_it_runs(disk: str, ends_on: str) -> None:
    """The app does not start the VM; when its owner does, the first look proves the disk or rolls it back."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False, "serial": "panic"}])
        await azure.tag(VM_ID, OsDiskName=disk)
        await azure.settled()
        await azure.fire("sweep")
        await azure.settled()
        assert await azure.power(VM_ID) == "deallocated"
        assert [outcome["reason"] for outcome in azure.outcomes()] == ["was-not-running"]
        await azure.arm("POST", f"{VM_ID}/start")
        await asyncio.sleep(60)
        await azure.fire("sweep")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == ends_on, azure.outcomes()[-1]["evidence"]
        assert await azure.power(VM_ID) == "running"
        expected = "succeeded" if disk == ends_on else "rolled-back"
        assert azure.outcomes()[-1]["status"] == expected, azure.outcomes()[-1]
        assert not azure.dispatcher_state().get("unproven")

    vm = vm_body(power="deallocated")
    vm["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
    play(story, [vm, disk_body("web01-new"), disk_body("web01-bad")])
