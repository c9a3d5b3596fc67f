"""A tag edit swaps a disk: the real SDKs over HTTP, real orchestrations, real Event Grid payloads, nothing mocked."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body


def test_a_tag_edit_leads_to_a_verified_swap() -> None:
    """Writing a free disk's name into OsDiskName stops the VM once, swaps, starts and proves it."""

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


def test_a_disk_that_never_boots_is_taken_out_again() -> None:
    """The new disk never reports: it is remembered, the tags say so, the old disk is back and proved."""

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
    """`@previous` is resolved to the disk's name before downtime, so it does not swap back and forth."""

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
    """A deallocated VM gets its disk and is left as it was, marked as not proven."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("not-proven", "was-not-running"), outcome
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert await azure.power(VM_ID) == "deallocated"

    play(story, [vm_body(power="deallocated"), disk_body("web01-new")])


def test_a_vm_without_an_agent_is_not_called_healthy() -> None:
    """Where nothing speaks for the guest the outcome is running, guest not proven."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("not-proven", "guest-not-proven"), outcome
        assert await azure.power(VM_ID) == "running"

    play(story, [vm_body(agent=False), disk_body("web01-new")])


def test_a_nonsense_wish_touches_nothing() -> None:
    """A name that is no disk is refused with a sentence and the VM keeps running."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-typo")
        await azure.settled()
        assert azure.outcomes() == []
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, [vm_body()])


def test_hold_during_a_swap_starts_the_vm_and_lets_go() -> None:
    """A VM put on hold while the app has it stopped is started first and then left alone."""

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
    """With RefreshStopMode=power-off the VM is never deallocated, and its agent must speak after the start."""

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
    """The way back works the same when the VM keeps its host."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert await azure.power(VM_ID) == "running"

    play(story, [vm_body(RefreshStopMode="power-off"), disk_body("web01-bad")])


@pytest.mark.parametrize(("disk", "ends_on"), [("web01-new", "web01-new"), ("web01-bad", "web01-old")])
def test_a_vm_swapped_while_stopped_is_proved_when_it_runs(disk: str, ends_on: str) -> None:
    """Once its owner starts it the disk is proved, or taken out again, at the first look; nobody touches it before."""

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
        assert not azure.book().get("unproven")

    vm = vm_body(power="deallocated")
    vm["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
    play(story, [vm, disk_body("web01-new"), disk_body("web01-bad")])
