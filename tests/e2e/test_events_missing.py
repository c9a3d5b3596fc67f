"""Events that do not arrive are said, with the cure, by `GET /api/selfcheck` and by one log line for an alert."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.missed_edits import NAMES, edit_and_sweep, fleet


async def events_check(azure: LocalAzure) -> dict[str, Any]:
    """The row `events` of the self-check's page."""
    status, page = await azure.api("GET", "/api/selfcheck")
    assert status == 200
    (row,) = [row for row in page["standing"] if row["name"] == "events"]
    assert page["ok"] is False  # no self-check has run here; a failed row keeps it so
    return dict(row)


def missed(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the log lines of the alert say."""
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    return [json.loads(line[11:]) for line in lines if line.startswith("unreported {")]


def test_edits_that_the_sweep_alone_finds_again_and_again_are_said(caplog: pytest.LogCaptureFixture) -> None:
    """After the third such sweep the check fails with its cure, and the log names the VMs; each swap is made."""

    async def story(azure: LocalAzure) -> None:
        await edit_and_sweep(azure, NAMES[:2])
        assert (await events_check(azure))["ok"]
        await edit_and_sweep(azure, NAMES[2:])
        row = await events_check(azure)
        assert not row["ok"]
        assert "web01, web02, web03" in row["message"]
        assert "python3 -m tools.events" in row["cure"]
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"] * 3

    play(story, fleet(), events=False)
    (said,) = missed(caplog)
    assert [vm.rsplit("/", 1)[-1] for vm in said["vms"]] == list(NAMES)


def test_one_event_that_arrives_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    """When the subscription is there again, the first event clears the check."""

    async def story(azure: LocalAzure) -> None:
        await edit_and_sweep(azure)
        assert not (await events_check(azure))["ok"]
        webhook = f"{azure.functions}/runtime/webhooks/eventgrid?functionName=on_resource_write"
        await azure.simulator.event_grid.subscribe(webhook)
        await azure.tag(VM_ID, Owner="somebody")
        await azure.settled()
        row = await events_check(azure)
        assert row["ok"]
        assert "the last event came at" in row["message"]

    play(story, fleet(), events=False)
    assert len(missed(caplog)) == 1


def test_where_events_arrive_sweeps_count_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A sweep that comes with the event, or finds a wish that waits, is no sign of anything."""

    async def story(azure: LocalAzure) -> None:
        await edit_and_sweep(azure)
        assert (await events_check(azure))["ok"]

    play(story, fleet())
    assert missed(caplog) == []


def test_a_wish_that_waits_is_counted_once(caplog: pytest.LogCaptureFixture) -> None:
    """While swaps are paused every sweep finds the same unfulfilled wish: one edit, not one for each sweep."""

    async def story(azure: LocalAzure) -> None:
        await azure.api("POST", "/api/pause", {"why": "a test"})
        await azure.tag(VM_ID, OsDiskName="web01-new")
        for _ in range(5):
            await azure.fire("sweep")
            await azure.until(lambda: not azure.book().get("look"))
        assert (await events_check(azure))["ok"]

    play(story, [vm_body(), disk_body("web01-new")], events=False)
    assert missed(caplog) == []
