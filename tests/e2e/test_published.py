"""Events: each outcome is published once with the data of the API, and nothing depends on its delivery."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, override

import pytest

from simulator.durable.worker import Interruptions, WorkerDied
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, vm_bodies, vm_id
from tests.support.worlds.swap_world import FLEET, swapped

TOPIC = {"match": {"path": "/api/events"}}


def published(azure: LocalAzure) -> list[dict[str, Any]]:
    return [row["event"] for row in azure.simulator.published()]


def kinds(azure: LocalAzure) -> list[str]:
    return [event["type"].removeprefix("refresh.") for event in published(azure)]


def test_a_swap_is_published_before_its_stop_and_at_its_end() -> None:
    """`starting` arrives before the stop, `succeeded` has the outcome that the app stores; each arrives once."""

    async def story(azure: LocalAzure) -> None:
        outcome = await swapped(azure)
        starting, succeeded = published(azure)
        assert kinds(azure) == ["swap.starting", "swap.succeeded"]
        assert succeeded["data"] == outcome
        assert (outcome["stop_mode"], outcome["run"]) == ("deallocate", starting["data"]["run"])
        assert 0.8 < outcome["down_s"] / outcome["arm_s"] < 1.3, outcome
        for event in (starting, succeeded):
            assert (event["specversion"], event["subject"], event["source"]) == ("1.0", VM_ID, "/azure-vm-refresh")
            assert event["id"] == f"{outcome['run']}/{event['type']}"
        assert starting["data"]["new_disk"] == outcome["new_disk"]
        ((stopped, _),) = azure.journal(VM_ID)["intervals"]
        assert azure.simulator.published()[0]["t"] <= starting["data"]["hold_until"] <= stopped

    play(story, FLEET)


def test_a_rollback_and_a_need_for_attention_are_published(caplog: pytest.LogCaptureFixture) -> None:
    """`rolled-back` has evidence; `needs-attention` has commands, an error line and the first place in the list."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False}])
        await swapped(azure, "web01-bad")
        assert kinds(azure) == ["swap.starting", "swap.rolled-back"]
        assert published(azure)[1]["data"]["evidence"]
        planned = {"code": "InternalExecutionError", "message": "planned"}
        azure.simulator.services.faults.add([{"match": {"operation": "start", "resource": "*web01"}, "fail": planned}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: len(azure.outcomes()) > 2, within_s=36000)
        await azure.settled()
        ends = [event for event in published(azure)[2:] if "ended" in event["data"]]
        assert [event["type"] for event in ends] == ["refresh.swap.needs-attention"] * 2, "the swap, then the recovery"
        assert ends[0]["data"]["by_hand"][0].endswith("AutoRefresh=hold")
        assert len({event["id"] for event in published(azure)}) == len(published(azure))
        loud = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        errors = [json.loads(line.removeprefix("outcome ")) for line in loud if line.startswith("outcome {")]
        assert {one["status"] for one in errors} == {"needs-attention"}
        _, answer = await azure.api("GET", "/api/vms")
        assert (answer["value"][0]["vm"], answer["value"][0]["reason"]) == (VM_ID, "recover")

    play(story, [vm_body(), vm_body("aaa"), disk_body("web01-bad"), disk_body("web01-new")])


def test_missing_capacity_is_published_at_once_and_so_is_its_end() -> None:
    """Missing capacity in Azure is published while the start is retried, and the outcome when the VM runs."""

    async def story(azure: LocalAzure) -> None:
        failed = {"code": "AllocationFailed", "message": "planned"}
        rule = {"match": {"operation": "start", "resource": "*web01"}, "times": 3, "fail": failed}
        azure.simulator.services.faults.add([rule])
        outcome = await swapped(azure)
        assert kinds(azure) == ["swap.starting", "swap.needs-attention", "swap.succeeded"]
        early = published(azure)[1]
        assert (early["data"]["reason"], early["data"]["run"]) == ("no-capacity", outcome["run"])
        assert early["id"].endswith("/start/no-capacity"), "an outcome that needs attention would have another id"

    play(story, FLEET)


def test_only_runs_publish_a_refusal() -> None:
    """A refusal is published by a run that has started, not by a look that refuses."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-typo")
        await azure.settled()
        await azure.fire("sweep")
        await azure.settled()
        assert kinds(azure) == []
        await azure.tag(VM_ID, OsDiskName="web01-new")
        body = {"error": {"code": "AuthorizationFailed", "message": "planned"}}
        match = {"method": "PATCH", "path": ".*/tags/default"}
        azure.simulator.services.faults.add([{"match": match, "respond": {"status": 403, "body": body}}])
        await azure.until(lambda: bool(azure.outcomes()))
        await azure.settled()
        assert kinds(azure) == ["swap.starting", "swap.refused"]

    play(story, FLEET)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"respond": {"status": 503, "body": {"error": {"code": "Busy", "message": "planned"}}}}, "Busy"),
        ({"respond": {"status": 401, "body": {"error": {"code": "Unauthorized", "message": "planned"}}}}, "planned"),
        ({"delay_s": 3000}, "no answer"),
        ({"reset": True}, "no answer"),
    ],
)
def test_a_topic_that_does_not_accept_events_delays_no_swap(
    fault: dict[str, Any], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With a failing, refusing, hanging or disconnecting topic the swap succeeds as fast and logs a line per event."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{**TOPIC, **fault}])
        before_s = azure.clock.time()
        outcome = await swapped(azure)
        assert outcome["status"] == "succeeded", outcome
        assert azure.journal(VM_ID)["stops"] == 1
        assert outcome["down_s"] < 60
        assert azure.clock.time() - before_s < 240, "the swap does not wait for the topic"
        await asyncio.sleep(60)
        lines = [line for line in map(logging.LogRecord.getMessage, caplog.records) if line.startswith("unpublished ")]
        rows = [json.loads(line.removeprefix("unpublished ")) for line in lines]
        assert [one["type"] for one in rows] == ["refresh.swap.starting", "refresh.swap.succeeded"]
        assert all(why in one["why"] and one["subject"] == VM_ID for one in rows), rows

    play(story, FLEET)


class _DiesAfterPublishing(Interruptions):
    """The worker dies once after it has published each event."""

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        if name == "publish_event" and attempt == 1:
            raise WorkerDied(after_s=5)


def test_an_event_that_is_published_twice_has_one_id() -> None:
    """When a worker dies after publishing, the next one publishes the event again with the same id and data."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.interruptions = _DiesAfterPublishing()
        outcome = await swapped(azure)
        first, again, *end = published(azure)
        assert first == again
        assert end[0] == end[1]
        assert len(end) == 2
        assert first["id"] != end[0]["id"]
        assert azure.journal(VM_ID)["stops"] == 1
        assert outcome["status"] == "succeeded"

    play(story, FLEET)


def test_without_a_topic_nothing_is_published() -> None:
    """With an empty setting the swap succeeds and no event is published."""

    async def story(azure: LocalAzure) -> None:
        outcome = await swapped(azure)
        assert outcome["status"] == "succeeded"
        assert published(azure) == []

    play(story, FLEET, settings={"REFRESH_OUTCOME_TOPIC": ""})


def test_a_month_is_published_with_the_vms_that_failed() -> None:
    """`completed` counts images and VMs and lists the failed ones; a month that cannot list its VMs is `halted`."""

    async def month(azure: LocalAzure) -> dict[str, Any]:
        run = azure.hub.start("refresh_month", {}, None)
        await azure.hub.completed(run)
        (event,) = [one for one in published(azure) if one["data"]["run"] == run]
        assert event["subject"] == f"months/{event['data']['period']}"
        return event

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "*/web02-2*", "boots": False}])
        event = await month(azure)
        assert event["type"] == "refresh.month.completed"
        assert event["data"]["status"] == "rolled-back"
        assert event["data"]["images"] == {"create": 1}
        assert event["data"]["vms"] == {"succeeded": 1, "rolled-back": 1}
        (row,) = event["data"]["not_made"]
        assert (row["vm"], row["reason"]) == (vm_id("web02"), "unhealthy")
        body = {"error": {"code": "Forbidden", "message": "planned"}}
        lists = [{"path": "ResourceGraph"}, {"method": "GET", "path": ".*/Microsoft.Compute/virtualMachines$"}]
        answer = {"status": 403, "body": body}
        azure.simulator.services.faults.add([{"match": match, "respond": answer} for match in lists])
        event = await month(azure)
        assert (event["type"], event["data"]["status"]) == ("refresh.month.halted", "failed")
        assert "planned" in event["data"]["message"]

    fleet = [body for name in ("web01", "web02") for body in vm_bodies(name)]
    play(story, [*gallery_bodies(), *fleet], settings={"REFRESH_ROLLOUT": "auto"})


def test_no_event_contains_a_secret() -> None:
    """The events of a rolled-back swap contain no signed link and no token."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False, "serial": "panic"}])
        await swapped(azure, "web01-bad")
        text = json.dumps(published(azure))
        assert kinds(azure)[-1] == "swap.rolled-back"
        assert not [secret for secret in ("sig=", "eyJ", "Bearer", azure.endpoints.identity_header) if secret in text]

    vm = vm_body()
    vm["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
    play(story, [vm, disk_body("web01-bad")])
