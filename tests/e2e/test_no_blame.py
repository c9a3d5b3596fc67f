"""What others or Azure cause during a swap rejects no disk, and the disk may be requested again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.worlds.blameless import (
    FROM,
    SLOW_BOOT,
    STRICT,
    assert_may_be_requested_again,
    assert_no_blame,
    fleet,
)
from tests.support.worlds.builders import VERSION_ID, VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body
from tests.support.worlds.swap_world import (
    FLEET,
    assert_well,
    failing,
    has_evidence,
    never_boots,
    outcome_of,
    runs_on,
    swapped,
    sweep_for,
    terminate_swap,
)


def test_a_guest_that_renames_itself_at_its_first_boot_is_proved() -> None:
    """It reports the name of its image first, and its own one after a reboot some minutes later."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        await asyncio.sleep(120)
        azure.simulator.put_resources([{"id": disk_id("web01-new"), "_hostname": "web01"}])
        azure.simulator.put_resources([{"id": VM_ID, "_reboots_after_s": 1}])
        outcome = await outcome_of(azure)
        assert outcome["status"] == "succeeded", outcome
        assert has_evidence(outcome, "computer-name doubts") is False
        assert has_evidence(outcome, "computer-name fits")
        await assert_well(azure, "web01-new", stops=1)

    *rest, disk = fleet()
    play(story, [*rest, {**disk, "_hostname": "golden"}], settings=STRICT)


def test_a_data_disk_that_its_owner_detaches_undoes_no_swap() -> None:
    """The owner detaches a data disk while the new OS disk is proved: the swap succeeds with one stop."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([SLOW_BOOT])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        await asyncio.sleep(60)
        await azure.arm("PATCH", VM_ID, {"properties": {"storageProfile": {"dataDisks": []}}})
        outcome = await outcome_of(azure)
        assert outcome["status"] == "succeeded", outcome
        await assert_no_blame(azure)
        await assert_well(azure, "web01-new", stops=1)

    bodies = fleet()
    data = {"lun": 0, "name": "web01-data", "createOption": "Empty", "diskSizeGB": 8}
    bodies[-2]["properties"]["storageProfile"]["dataDisks"] = [data]
    play(story, bodies, settings=STRICT)


def _probe_unanswered(body: dict[str, Any]) -> None:
    body["tags"]["RefreshProbe"] = "tcp:22"  # nothing listens there, before the swap either
    body["_agent"] = False


def _health_time_too_short(body: dict[str, Any]) -> None:
    body["tags"]["RefreshHealthTimeoutS"] = "60"


def _no_agent_before(body: dict[str, Any]) -> None:
    body["_agent"] = False


@pytest.mark.parametrize("shape", [_probe_unanswered, _health_time_too_short, _no_agent_before])
def test_what_the_guest_did_not_show_before_is_no_evidence(shape: Callable[[dict[str, Any]], None]) -> None:
    """A probe or agent without an answer before the stop, or a health time below the setting: no rejection."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-new")])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "web01-new is not at fault" in outcome["message"]
        await assert_no_blame(azure)
        await assert_well(azure, "web01-old", stops=2)

    vm = vm_body()
    shape(vm)
    image = [*gallery_bodies({"RefreshPersonalizes": "true", "RefreshAgent": "true"}), version_body(VERSION_ID)]
    play(story, [*image, vm, disk_body("web01-new", creationData=FROM)], settings=STRICT)


@pytest.mark.parametrize(
    ("operation", "code", "times"),
    [
        ("update", "OperationPreempted", 9),
        ("update", "PropertyChangeNotAllowed", 1),
        ("update", "SomethingNew", 1),
        ("update", "StorageFailure/SocketException", 2),
        ("start", "VMExtensionProvisioningError", 9),
        ("start", "OSProvisioningTimedOut", 9),
        ("start", "SomethingNew", 9),
    ],
)
def test_an_operation_that_fails_rejects_no_disk(operation: str, code: str, times: int) -> None:
    """Whatever Azure's error is, known or new, the VM runs in the end and the disk may be requested again."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([failing(operation, code=code, times=times)])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        await sweep_for(azure, 4)
        await assert_no_blame(azure)
        assert await azure.power(VM_ID) == "running"
        if await azure.os_disk(VM_ID) == "web01-old":
            await assert_may_be_requested_again(azure)

    play(story, fleet(), settings=STRICT)


@pytest.mark.parametrize("stale_s", [8, 25, 50])
def test_a_change_that_succeeded_is_believed_over_old_reads(stale_s: float) -> None:
    """All reads of the VM are as old as that after its change: one change, one stop, success."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: any(each.kind == "update" for each in azure.simulator.operations.of(VM_ID)))
        match = {"method": "GET", "path": "/virtualMachines/web01$"}
        azure.simulator.services.faults.add([{"match": match, "stale_s": stale_s}])
        outcome = await outcome_of(azure)
        assert outcome["status"] == "succeeded", outcome
        azure.simulator.services.faults.clear()
        await assert_no_blame(azure)
        updates = [each for each in azure.simulator.operations.of(VM_ID) if each.kind == "update"]
        assert len(updates) == 1
        await assert_well(azure, "web01-new", stops=1)

    play(story, fleet(), settings=STRICT)


def test_a_change_without_effect_rejects_no_disk() -> None:
    """Azure answers with success and changes nothing: the old disk stays, and the new one may be requested again."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"match": {"operation": "update"}, "nothing": True}])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "step-failed"), outcome
        await assert_no_blame(azure)
        await assert_may_be_requested_again(azure)

    play(story, fleet(), settings=STRICT)


def test_a_fault_of_the_platform_is_no_fault_of_the_disk() -> None:
    """The agent is silent while Resource Health shows an unplanned fault: the old disk is back, nothing is rejected."""

    async def story(azure: LocalAzure) -> None:
        status = {"availabilityState": "Unavailable", "reasonType": "Unplanned", "occuredTime": "2099-01-01T00:00:00Z"}
        match = {"method": "GET", "path": ".*/availabilityStatuses/current"}
        answer = {"match": match, "respond": {"status": 200, "body": {"properties": status}}}
        azure.simulator.services.faults.add([answer, never_boots("web01-new")])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == 2)
        azure.simulator.services.faults.clear()
        outcome = await outcome_of(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        await assert_no_blame(azure)
        await assert_may_be_requested_again(azure)

    play(story, fleet(), settings=STRICT)


def test_a_recovery_of_the_way_back_blames_no_disk() -> None:
    """The run ends while it puts the old disk back after a failed change; the recovery knows of no rejection."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"match": {"operation": "update"}, "nothing": True}])
        azure.simulator.services.faults.add([{"match": {"operation": "start"}, "times": 1, "duration_s": 200}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: any(row.get("step") == "undo-start" for row in azure.running_swaps()))
        await terminate_swap(azure)
        await sweep_for(azure, 6)
        await assert_no_blame(azure)
        assert azure.outcomes()[-1]["status"] in ("rolled-back", "refused"), azure.outcomes()
        await assert_may_be_requested_again(azure)

    play(story, fleet(), settings=STRICT)


def test_the_swap_of_a_plain_fleet_is_as_before() -> None:
    """A healthy disk is proved with one stop, and a disk that does not boot is rejected."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-new")])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert (await azure.vm(VM_ID))["tags"]["OsDiskRejected"] == "web01-new"
        await assert_well(azure, "web01-old", stops=2)

    play(story, FLEET)
