"""After a failed step the VM runs on the new or the old disk, or the outcome is needs-attention."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.worlds.builders import GROUP, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

FLEET = [vm_body(), disk_body("web01-new")]


def fault(operation: str, *, times: int = 99, code: str = "InternalExecutionError") -> dict[str, Any]:
    return {
        "match": {"operation": operation, "resource": "*web01"},
        "times": times,
        "fail": {"code": code, "message": "planned"},
    }


async def swapped(azure: LocalAzure) -> dict[str, Any]:
    await azure.tag(VM_ID, OsDiskName="web01-new")
    await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
    await azure.settled()
    return azure.outcomes()[0]


def test_after_a_failed_disk_change_the_vm_starts_with_its_old_disk() -> None:
    """When the PATCH fails the VM is started with its unchanged disk, and the outcome has Azure's error."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([fault("update")])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "step-failed"), outcome
        assert "InternalExecutionError" in outcome["message"]
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert await azure.power(VM_ID) == "running"
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET)


def test_a_stop_that_is_refused_leaves_the_vm_running() -> None:
    """With a lock nothing is stopped, the outcome names the lock, the tag names the old disk, no disk is rejected."""

    async def story(azure: LocalAzure) -> None:
        text = f"... because following scope(s) are locked: '{GROUP}'. Please remove the lock and try again."
        body = {"error": {"code": "ScopeLocked", "message": text}}
        locked = {"match": {"method": "POST", "path": ".*/deallocate"}, "respond": {"status": 409, "body": body}}
        azure.simulator.services.faults.add([locked])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("refused", "locked"), outcome
        assert f"a lock on {GROUP} forbids it" in outcome["message"]
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert await azure.power(VM_ID) == "running"
        assert azure.journal(VM_ID)["stops"] == 0
        assert (await azure.vm(VM_ID))["tags"] == {"AutoRefresh": "true", "OsDiskName": "web01-old"}
        azure.simulator.services.faults.clear()
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        assert azure.outcomes()[-1]["status"] == "succeeded", "the disk can be requested again without force"

    play(story, FLEET)


def test_a_start_that_fails_for_a_while_is_retried() -> None:
    """The start is retried while Azure has no capacity for a few minutes, and the new disk stays."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([fault("start", times=4, code="AllocationFailed")])
        outcome = await swapped(azure)
        assert outcome["status"] == "succeeded", outcome
        assert await azure.os_disk(VM_ID) == "web01-new"

    play(story, FLEET)


def test_a_vm_that_cannot_be_started_is_reported_and_started_later() -> None:
    """If neither disk can be started the outcome is needs-attention; the sweep starts the VM once Azure allows it."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([fault("start")])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("needs-attention", "undo-failed"), outcome
        assert "InternalExecutionError" in outcome["message"]
        assert outcome["by_hand"][0].endswith("AutoRefresh=hold")
        assert await azure.power(VM_ID) == "deallocated"
        assert "RefreshState" in (await azure.vm(VM_ID))["tags"]
        azure.simulator.services.faults.clear()
        await azure.fire("sweep")
        await azure.settled()
        assert await azure.power(VM_ID) == "running"
        assert azure.outcomes()[-1]["reason"] == "recover"
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]

    play(story, FLEET)


def test_missing_capacity_rejects_no_disk() -> None:
    """A VM without capacity for an hour is first in the list, its disk is not rejected, and the swap succeeds."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([fault("start", code="ZonalAllocationFailed")])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await asyncio.sleep(1800)
        status, answer = await azure.api("GET", "/api/vms")
        assert status == 200
        assert (answer["value"][0]["vm"], answer["value"][0]["reason"]) == (VM_ID, "no-capacity"), answer
        await asyncio.sleep(1800)
        azure.simulator.services.faults.clear()
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] == "succeeded", outcome
        assert await azure.os_disk(VM_ID) == "web01-new"
        starts = [row for row in azure.simulator.journal.requests if row["path"].endswith("/start")]
        assert len(starts) < 30, "the pauses between starts grow"

    play(story, FLEET)


def test_missing_capacity_is_waited_out_within_the_setting() -> None:
    """With a timeout of eight hours and capacity after six the swap succeeds."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([fault("start", times=9999, code="AllocationFailed")])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await asyncio.sleep(6 * 3600)
        azure.simulator.services.faults.clear()
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] == "succeeded", outcome

    play(story, FLEET, settings={"REFRESH_CAPACITY_TIMEOUT_S": "28800"})


@pytest.mark.parametrize(
    "failure", [{"fail": {"code": "InternalExecutionError", "message": "planned"}}, {"nothing": True}]
)
def test_a_rollback_succeeds_after_two_failures_in_azure(failure: dict[str, Any]) -> None:
    """A disk change that Azure fails twice during a rollback is started a third time without another stop."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == 2, within_s=3600)
        azure.simulator.services.faults.add(
            [{"match": {"operation": "update", "resource": "*web01"}, "times": 2, **failure}]
        )
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "was taken out again" in outcome["message"]
        assert (await azure.os_disk(VM_ID), await azure.power(VM_ID)) == ("web01-old", "running")
        assert azure.journal(VM_ID)["stops"] == 2

    play(story, FLEET)


def test_tags_that_azure_refuses_are_written_again_after_the_rollback() -> None:
    """A rollback does not wait for tags that Azure refuses, and writes them again at its end."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == 1, within_s=3600)
        body = {"error": {"code": "AuthorizationFailed", "message": "planned"}}
        match = {"method": "PATCH", "path": "/tags/default$"}
        azure.simulator.services.faults.add([{"match": match, "times": 1, "respond": {"status": 403, "body": body}}])
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] == "rolled-back", outcome
        assert not [line for line in outcome["evidence"] if "tags could not" in line]
        tags = (await azure.vm(VM_ID))["tags"]
        assert (tags["OsDiskName"], tags["OsDiskRejected"]) == ("web01-old", "web01-new")
        assert azure.journal(VM_ID)["stops"] == 2

    play(story, FLEET)


@pytest.mark.parametrize("reason", ["operation-slow", "rights-missing"])
def test_a_vm_that_stays_down_is_reported_at_once(reason: str) -> None:
    """With a hanging disk change or a denied start the VM is first in the list within minutes, before its swap ends."""

    async def story(azure: LocalAzure) -> None:
        error = {"error": {"code": "AuthorizationFailed", "message": "planned"}}
        hangs = {"match": {"operation": "update", "resource": "*web01"}, "hang": True}
        denied = {"match": {"path": "/web01/start$"}, "respond": {"status": 403, "body": error}}
        azure.simulator.services.faults.add([hangs if reason == "operation-slow" else denied])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await asyncio.sleep(480)
        _, answer = await azure.api("GET", "/api/vms")
        assert (answer["value"][0]["vm"], answer["value"][0]["reason"]) == (VM_ID, reason), answer
        assert azure.outcomes() == []
        azure.simulator.services.faults.clear()
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] == "succeeded", outcome
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, [vm_body("web00"), *FLEET])


def test_after_the_capacity_timeout_the_sweep_starts_the_vm() -> None:
    """Without capacity until the timeout the outcome is needs-attention and no disk is rejected."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([fault("start", code="AllocationFailed")])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("needs-attention", "no-capacity"), outcome
        assert "OsDiskRejected" not in (await azure.vm(VM_ID))["tags"]
        azure.simulator.services.faults.clear()
        await azure.fire("sweep")
        await azure.settled()
        assert await azure.power(VM_ID) == "running"

    play(story, FLEET, settings={"REFRESH_CAPACITY_TIMEOUT_S": "1200"})


def test_a_vm_whose_tags_cannot_be_written_is_not_stopped() -> None:
    """The intent is written to the VM before downtime; if ARM refuses it, the swap is refused with ARM's error."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        body = {"error": {"code": "AuthorizationFailed", "message": "planned"}}
        match = {"method": "PATCH", "path": ".*/tags/default"}
        azure.simulator.services.faults.add([{"match": match, "respond": {"status": 403, "body": body}}])
        await azure.until(lambda: bool(azure.outcomes()))
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("refused", "rights-missing"), outcome
        assert "planned" in outcome["message"]
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, FLEET)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_throttling_and_server_errors_are_waited_out(status: int) -> None:
    """A swap succeeds although every kind of its requests fails three times with Retry-After."""

    async def story(azure: LocalAzure) -> None:
        headers = {"Retry-After": "7"}
        for path in ("/deallocate$", "/start$", "/virtualMachines/web01$", "/tags/default$"):
            respond = {"status": status, "headers": headers, "body": {"error": {"code": "Busy", "message": "planned"}}}
            azure.simulator.services.faults.add([{"match": {"path": path}, "times": 3, "respond": respond}])
        azure.hub.signal("@dispatcher@app", "hint", {"vms": [VM_ID], "at": None})
        await azure.until(lambda: bool(azure.outcomes()))
        await azure.settled()
        assert azure.outcomes()[0]["status"] == "succeeded", azure.outcomes()
        assert azure.journal(VM_ID)["stops"] == 1
        failed = [row["path"] for row in azure.simulator.journal.requests if row["status"] == status]
        assert len(failed) == 12, "each of four kinds of requests fails three times"

    play(story, [vm_body(OsDiskName="web01-new"), disk_body("web01-new")])


def test_a_long_retry_after_is_waited_out_by_a_timer() -> None:
    """With a Retry-After of 20 minutes during downtime no activity sleeps that long, and the VM starts."""

    async def story(azure: LocalAzure) -> None:
        respond = {
            "status": 429,
            "headers": {"Retry-After": "1200"},
            "body": {"error": {"code": "Busy", "message": "m"}},
        }
        azure.simulator.services.faults.add([{"match": {"path": ".*/start"}, "times": 1, "respond": respond}])
        outcome = await swapped(azure)
        assert outcome["status"] in ("succeeded", "rolled-back"), outcome
        assert await azure.power(VM_ID) == "running"
        trace = [entry for entry in azure.hub.trace if entry.kind == "activity"]
        began: dict[tuple[str, int | None], float] = {}
        for entry in trace:
            key = (entry.instance_id, entry.task_id)
            if entry.what == "dispatched":
                began[key] = entry.t
            elif entry.what == "completed":
                assert entry.t - began[key] < 120, entry

    play(story, FLEET)


@pytest.mark.parametrize("moment", ["deallocating", "deallocated", "running again"])
def test_a_swap_with_a_lost_orchestration_is_finished_by_a_recovery(moment: str) -> None:
    """When the orchestration is terminated, a sweep finds it, and a recovery finishes the swap."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")

        async def reached() -> bool:
            if moment == "running again":
                return await azure.os_disk(VM_ID) == "web01-new" and await azure.power(VM_ID) == "running"
            return await azure.power(VM_ID) == moment

        await azure.until(reached)
        (row,) = azure.running_swaps()
        instance = next(name for name in azure.hub.orchestrations.instances if name.endswith(f"-{row['n']}"))
        azure.hub.terminate(instance)
        for _ in range(5):
            await asyncio.sleep(301)
            await azure.fire("sweep")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] in ("succeeded", "not-proven"), outcome
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert await azure.power(VM_ID) == "running"
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET)


def test_the_sweep_finds_an_edit_without_an_event() -> None:
    """Without events the sweep sends a hint for each VM whose tag and disk differ."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        assert azure.outcomes() == []
        await azure.fire("sweep")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"

    play(story, FLEET, events=False)


def test_an_owners_own_stop_is_respected_after_a_swap() -> None:
    """An old RefreshState is removed while the VM runs, so a later stop by its owner is not undone."""

    async def story(azure: LocalAzure) -> None:
        await azure.fire("sweep")
        await azure.settled()
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]

    play(story, [vm_body(RefreshState="run=swap-x-1;ran=yes")])
