"""The health of a started VM decides whether a swap is verified, rolled back or not proven."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.arm.core.store import Record
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, VERSION_ID, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import definition_body, version_body, vm_bodies
from tests.support.worlds.swap_world import has_evidence, outcome_of, swapped


def record(azure: LocalAzure) -> Record:
    found = azure.simulator.services.store.get(VM_ID)
    assert found is not None
    return found


async def on_its_new_disk(azure: LocalAzure) -> None:
    """Request the disk and return during the downtime, when the VM has the disk and does not run yet."""
    await azure.tag(VM_ID, OsDiskName="web01-new")

    async def has_it() -> bool:
        return await azure.os_disk(VM_ID) == "web01-new"

    await azure.until(has_it)


def test_a_clone_with_another_computer_name_is_rolled_back() -> None:
    """A guest with a ready agent and the computer name of another machine is rolled back."""

    async def story(azure: LocalAzure) -> None:
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "golden" in outcome["message"]
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert await azure.power(VM_ID) == "running"

    play(story, [vm_body(), {**disk_body("web01-new"), "_hostname": "golden"}])


def test_a_renamed_machine_is_healthy() -> None:
    """A guest whose old disk has the same unusual computer name is no clone."""

    async def story(azure: LocalAzure) -> None:
        outcome = await swapped(azure)
        assert outcome["status"] == "succeeded", outcome
        assert has_evidence(outcome, "computer-name fits")
        assert has_evidence(outcome, "agent proves after ")

    disks = [{**disk_body(name), "_hostname": "srv-17"} for name in ("web01-old", "web01-new")]
    play(story, [*disks, vm_body()])


def test_a_slow_extension_does_not_delay_the_swap() -> None:
    """The swap succeeds while an extension delays the start operation of a healthy guest for half an hour."""

    async def story(azure: LocalAzure) -> None:
        began = azure.clock.time()
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        assert azure.outcomes()[0]["status"] == "succeeded", azure.outcomes()
        assert azure.clock.time() - began < 600
        assert await azure.os_disk(VM_ID) == "web01-new"

    play(story, [{**vm_body(), "_slow_extension_s": 1800}, disk_body("web01-new")])


def test_an_application_that_reports_unhealthy_is_rolled_back() -> None:
    """The agent is ready, but the Application Health extension reports unhealthy until the timeout."""

    async def story(azure: LocalAzure) -> None:
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "application-health" in outcome["message"]
        assert await azure.os_disk(VM_ID) == "web01-old"

    play(story, [{**vm_body(), "_health_extension": True}, {**disk_body("web01-new"), "_healthy": False}])


@pytest.mark.parametrize("agent", [True, False])
def test_data_disks_are_as_before(agent: bool) -> None:
    """LUNs, names and caching are recorded before the stop and compared after the start."""
    fleet = [vm_body(agent=agent), disk_body("web01-new")]
    data = {"lun": 3, "name": "web01-data", "createOption": "Empty", "caching": "ReadOnly", "diskSizeGB": 64}
    fleet[0]["properties"]["storageProfile"]["dataDisks"] = [data]

    async def story(azure: LocalAzure) -> None:
        outcome = await swapped(azure)
        assert outcome["status"] == ("succeeded" if agent else "not-proven"), outcome
        assert has_evidence(outcome, "data-disks fits") and has_evidence(outcome, "3:web01-data:ReadOnly")

    play(story, fleet)


def test_a_data_disk_that_is_gone_undoes_no_swap() -> None:
    """The old OS disk does not restore a lost data disk: the guest proves the new one, and the evidence names it."""
    fleet = [vm_body(), disk_body("web01-new")]
    data = {"lun": 0, "name": "web01-data", "createOption": "Empty", "diskSizeGB": 64}
    fleet[0]["properties"]["storageProfile"]["dataDisks"] = [data]

    async def story(azure: LocalAzure) -> None:
        await on_its_new_disk(azure)
        record(azure).properties["storageProfile"]["dataDisks"] = []
        outcome = await outcome_of(azure)
        assert outcome["status"] == "succeeded", outcome
        assert has_evidence(outcome, "data-disks quiet") and has_evidence(outcome, "not as before: 0:web01-data")
        assert azure.journal(VM_ID)["stops"] == 1
        assert await azure.power(VM_ID) == "running"

    play(story, fleet)


def test_a_guest_without_any_signal_is_not_proven() -> None:
    """Without agent, probe and boot log the VM keeps running and is counted as not proven."""

    async def story(azure: LocalAzure) -> None:
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("not-proven", "guest-not-proven"), outcome
        assert has_evidence(outcome, "agent quiet")
        _, row = await azure.api("GET", "/api/vms?vm=web01")
        assert (row["decision"], row["reason"]) == ("skip", "guest-not-proven")
        _, answer = await azure.api("POST", "/api/rollback", {"vms": ["web01"]})
        await azure.settled()
        _, run = await azure.api("GET", f"/api/runs/{answer['id']}")
        assert run["counts"] == {"not-proven": 1}, run

    play(story, [vm_body(agent=False), disk_body("web01-new")])


@pytest.mark.parametrize(
    ("serial", "what"),
    [("panic", "kernel panic"), ("emergency", "emergency mode"), ("setup", "Windows setup")],
)
def test_a_failure_in_the_boot_log_causes_a_rollback_at_once(serial: str, what: str) -> None:
    """A failure in the serial log of a VM that never had an agent causes a rollback within seconds."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False, "serial": serial}])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert what in outcome["message"]
        assert "sig=" not in str(outcome)
        assert azure.journal(VM_ID)["stops"] == 2
        assert await azure.os_disk(VM_ID) == "web01-old"

    vm = vm_body(agent=False)
    vm["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
    play(story, [vm, disk_body("web01-new")])


def test_a_vm_that_resource_health_reports_unavailable_is_rolled_back() -> None:
    """A silent VM that is unavailable in Resource Health since its start is rolled back at the timeout."""

    async def story(azure: LocalAzure) -> None:
        status = {"availabilityState": "Unavailable", "reasonType": "Unplanned", "occuredTime": "2099-01-01T00:00:00Z"}
        match = {"method": "GET", "path": ".*/availabilityStatuses/current"}
        azure.simulator.services.faults.add(
            [{"match": match, "respond": {"status": 200, "body": {"properties": status}}}]
        )
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == 2)
        azure.simulator.services.faults.clear()
        outcome = await outcome_of(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "resource-health" in outcome["message"]

    play(story, [vm_body(agent=False), disk_body("web01-new")])


def of_image(has_agent: str | None, *, agent: bool) -> list[dict[str, Any]]:
    """A VM and a new disk from an image whose definition has the tag `RefreshAgent=<has_agent>`."""
    tags = (
        {"RefreshPersonalizes": "true"}
        if has_agent is None
        else {"RefreshPersonalizes": "true", "RefreshAgent": has_agent}
    )
    origin = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}
    gallery = [{"id": GALLERY, "location": "westeurope"}, definition_body(DEFINITION_ID, tags), version_body()]
    return [*vm_bodies("golden", {}), *gallery, vm_body(agent=agent), disk_body("web01-new", creationData=origin)]


@pytest.mark.parametrize(
    ("has_agent", "agent", "status"),
    [
        ("true", True, "rolled-back"),
        ("true", False, "rolled-back"),
        ("false", True, "not-proven"),
        (None, True, "rolled-back"),
        (None, False, "not-proven"),
    ],
)
def test_a_silent_agent_is_unhealthy_only_where_one_is_expected(
    has_agent: str | None, agent: bool, status: str
) -> None:
    """A silent agent is unhealthy if the image has one or the old disk's agent reported; otherwise it is not proven."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False}])
        outcome = await swapped(azure)
        assert outcome["status"] == status, outcome

    play(story, of_image(has_agent, agent=agent))


def test_a_tag_sets_the_health_timeout_of_a_vm() -> None:
    """A silent disk is rolled back after the VM's own timeout, long before the one of the setting."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False}])
        outcome = await swapped(azure)
        assert outcome["status"] == "rolled-back", outcome
        assert has_evidence(outcome, "health failed after 6")

    play(story, [vm_body(RefreshHealthTimeoutS="60"), disk_body("web01-new")])
