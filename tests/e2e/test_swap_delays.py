"""A VM whose start or disk change Azure delays or refuses for long: it is reported early and runs at the end."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.swap_world import FLEET, failing, swapped


def test_a_start_that_fails_for_a_while_is_retried() -> None:
    """The start is retried while Azure has no capacity for a few minutes, and the new disk stays."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([failing("start", times=4, code="AllocationFailed")])
        outcome = await swapped(azure)
        assert outcome["status"] == "succeeded", outcome
        assert await azure.os_disk(VM_ID) == "web01-new"

    play(story, FLEET)


def test_a_vm_that_cannot_be_started_is_reported_and_started_later() -> None:
    """If neither disk can be started the outcome is needs-attention; the sweep starts the VM once Azure allows it."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([failing("start")])
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
        azure.simulator.services.faults.add([failing("start", code="ZonalAllocationFailed")])
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
        azure.simulator.services.faults.add([failing("start", times=9999, code="AllocationFailed")])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await asyncio.sleep(6 * 3600)
        azure.simulator.services.faults.clear()
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] == "succeeded", outcome

    play(story, FLEET, settings={"REFRESH_CAPACITY_TIMEOUT_S": "28800"})


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


def test_a_start_that_azure_ends_as_failed_is_reported_with_azures_code() -> None:
    """While the app repeats the start, the VM's message has the number of starts and Azure's last error code."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([failing("start", times=9999, code="InternalExecutionError")])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await asyncio.sleep(480)
        _, answer = await azure.api("GET", "/api/vms?vm=web01")
        assert answer["reason"] == "operation-slow", answer
        assert re.search(r"begun \d+ times.*; Azure's last error was InternalExecutionError$", answer["message"])
        azure.simulator.services.faults.clear()
        await azure.settled()

    play(story, FLEET)


def test_after_the_capacity_timeout_the_sweep_starts_the_vm() -> None:
    """Without capacity until the timeout the outcome is needs-attention and no disk is rejected."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([failing("start", code="AllocationFailed")])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("needs-attention", "no-capacity"), outcome
        assert "OsDiskRejected" not in (await azure.vm(VM_ID))["tags"]
        azure.simulator.services.faults.clear()
        await azure.fire("sweep")
        await azure.settled()
        assert await azure.power(VM_ID) == "running"

    play(story, FLEET, settings={"REFRESH_CAPACITY_TIMEOUT_S": "1200"})


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
