"""VMs of subscriptions that are not configured: the app reads and changes nothing there, wherever a hint comes from."""

from __future__ import annotations

import logging
import os
from typing import Any

import pytest
from azure.durable_functions.client import DurableFunctionsClient

from refresh import wiring
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID
from tests.support.worlds.local_azure import DISPATCHER, LocalAzure, disk_body, play, vm_body

ELSEWHERE = "22222222-2222-2222-2222-222222222222"
FOREIGN = VM_ID.replace(SUBSCRIPTION, ELSEWHERE)
REASON = "outside-subscriptions"


def moved(body: dict[str, Any]) -> dict[str, Any]:
    """The same resource in the other subscription."""
    properties = dict(body["properties"])
    if "storageProfile" in properties:
        os_disk = properties["storageProfile"]["osDisk"]
        managed = {**os_disk["managedDisk"], "id": _moved(os_disk["managedDisk"]["id"])}
        properties["storageProfile"] = {"osDisk": {**os_disk, "managedDisk": managed}}
    return {**body, "id": _moved(body["id"]), "properties": properties}


def _moved(resource_id: str) -> str:
    return resource_id.replace(SUBSCRIPTION, ELSEWHERE)


FLEET = [vm_body(), disk_body("web01-new"), moved(vm_body(OsDiskName="web01-new")), moved(disk_body("web01-new"))]


def requests_elsewhere(azure: LocalAzure) -> list[str]:
    """Every request about the other subscription so far."""
    rows = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    return [f"{row['method']} {row['path']}" for row in rows if f"/subscriptions/{ELSEWHERE}/" in row["path"].lower()]


async def deliver(azure: LocalAzure, vm_id: str) -> None:
    """Send the app an event about a write to this VM, as from an Event Grid subscription that a person made."""
    url = f"{azure.functions}/runtime/webhooks/eventgrid?functionName=on_resource_write"
    event = {
        "id": "e1", "topic": "/", "subject": vm_id, "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-11-21T10:00:00Z", "dataVersion": "2", "metadataVersion": "1",
        "data": {"operationName": "Microsoft.Compute/virtualMachines/write", "resourceUri": vm_id},
    }  # fmt: skip
    async with azure.http.post(url, json=[event], headers={"aeg-event-type": "Notification"}) as answer:
        assert answer.status == 202, await answer.text()


def lines(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    """The app's log lines with these words."""
    found = (record.getMessage() for record in caplog.records if record.name.startswith("refresh"))
    return [line for line in found if words in line]


def test_an_event_about_another_subscription_is_refused_unread(caplog: pytest.LogCaptureFixture) -> None:
    """The VM is not read or changed, one log line has reason, subscription and setting; other VMs are swapped."""
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        for vm in (FOREIGN, FOREIGN, FOREIGN.upper()):
            await deliver(azure, vm)
            await azure.settled()
        assert requests_elsewhere(azure) == []
        (line,) = lines(caplog, REASON)
        assert ELSEWHERE in line
        assert "REFRESH_SUBSCRIPTIONS" in line
        assert azure.dispatcher_state().get("queue", {}) == {}
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await deliver(azure, VM_ID.replace("/subscriptions/", "/SUBSCRIPTIONS/"))
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert requests_elsewhere(azure) == []

    play(story, FLEET, events=False)


def test_a_hint_from_the_sweep_about_another_subscription_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """A hint is refused like an event's: the dispatcher accepts ids from anywhere."""
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        data = {"vms": [FOREIGN], "at": "2026-11-21T10:00:00+00:00", "source": "sweep"}
        azure.hub.signal(DISPATCHER, "hint", data)
        await azure.settled()
        assert requests_elsewhere(azure) == []
        assert len(lines(caplog, REASON)) == 1

    play(story, FLEET, events=False)


@pytest.mark.parametrize("disk", [{"disk": "web01-new"}, {}], ids=["its tag is to be written", "as its tag says"])
def test_a_run_about_another_subscription_is_refused(disk: dict[str, str]) -> None:
    """A run that was started before the subscription was taken out ends with the reason; no tag is written there."""

    async def story(azure: LocalAzure) -> None:
        client = DurableFunctionsClient(azure.host.durable_client)
        run = await client.schedule_new_orchestration(
            "swap_vms", input={"vms": [FOREIGN], **disk}, instance_id="swaps-202611-00000001"
        )
        ended = await client.wait_for_orchestration_completion(run, timeout=600)
        await client.close()
        assert ended is not None
        _, record = await azure.api("GET", f"/api/runs/{run}")
        (row,) = record["vms"]
        assert (record["status"], row["status"], row["reason"]) == ("refused", "refused", REASON)
        assert ELSEWHERE in row["message"]
        assert requests_elsewhere(azure) == []

    play(story, FLEET, events=False)


def test_a_swap_whose_subscription_was_taken_out_while_it_waited_is_refused() -> None:
    """`prepare_swap` refuses before it reads or stops anything there."""

    async def story(azure: LocalAzure) -> None:
        await azure.api("POST", "/api/pause")
        await deliver(azure, FOREIGN)
        await azure.until(lambda: bool(azure.dispatcher_state().get("queue")))
        before = len(requests_elsewhere(azure))
        os.environ["REFRESH_SUBSCRIPTIONS"] = SUBSCRIPTION
        await wiring.close()
        await azure.api("POST", "/api/resume")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("refused", REASON)
        assert requests_elsewhere(azure)[before:] == []

    settings = {"REFRESH_SUBSCRIPTIONS": f"{SUBSCRIPTION},{ELSEWHERE}"}
    play(story, FLEET, events=False, settings=settings)


def test_a_subscription_outside_the_management_group_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """With a management group its subscriptions count, looked up once for many swaps; the refusal names the group."""
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        for name in ("web01", "web02"):
            await azure.tag(VM_ID.replace("web01", name), OsDiskName=f"{name}-new")
            await deliver(azure, VM_ID.replace("web01", name).upper())
        await deliver(azure, FOREIGN)
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert requests_elsewhere(azure) == []
        (line,) = lines(caplog, REASON)
        assert "REFRESH_MANAGEMENT_GROUP" in line
        assert "landing" in line
        rows = azure.simulator.journal.to_json(azure.clock.now())["requests"]
        minutes = azure.clock.time() / 60 + 1
        assert sum("ResourceGraph" in row["path"] for row in rows) <= minutes + 1

    landing = {"id": f"/providers/Microsoft.Management/managementGroups/landing/subscriptions/{SUBSCRIPTION}"}
    settings = {"REFRESH_SUBSCRIPTIONS": "", "REFRESH_MANAGEMENT_GROUP": "landing"}
    fleet = [landing, *FLEET, vm_body("web02"), disk_body("web02-new")]
    play(story, fleet, events=False, settings=settings)
