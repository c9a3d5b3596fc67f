"""`GET /api/selfcheck`, with the cure, and one log line for an alert report events that do not arrive."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.missed_edits import NAMES, edit_and_sweep, fleet


async def events_check(azure: LocalAzure) -> dict[str, Any]:
    """The row `events` of `GET /api/selfcheck`."""
    status, page = await azure.api("GET", "/api/selfcheck")
    assert status == 200
    (row,) = [row for row in page["standing"] if row["name"] == "events"]
    assert page["ok"] is False  # no self-check has run in this world
    return dict(row)


def missed(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The JSON in the log lines for the alert."""
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    return [json.loads(line[11:]) for line in lines if line.startswith("unreported {")]


def test_edits_that_only_sweeps_find_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    """After the third such sweep the check fails with its cure and the log names the VMs; each swap is made."""

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
    (row,) = missed(caplog)
    assert [vm.rsplit("/", 1)[-1] for vm in row["vms"]] == list(NAMES)


def test_one_event_that_arrives_clears_the_check(caplog: pytest.LogCaptureFixture) -> None:
    """After the subscription is restored, the first event clears the check."""

    async def story(azure: LocalAzure) -> None:
        await edit_and_sweep(azure)
        assert not (await events_check(azure))["ok"]
        webhook = f"{azure.functions}/runtime/webhooks/eventgrid?functionName=on_resource_write"
        await azure.simulator.event_grid.subscribe(webhook)
        await azure.tag(VM_ID, Owner="a team")
        await azure.settled()
        row = await events_check(azure)
        assert row["ok"]
        assert "the last event came at" in row["message"]

    play(story, fleet(), events=False)
    assert len(missed(caplog)) == 1


def test_sweeps_count_nothing_while_events_arrive(caplog: pytest.LogCaptureFixture) -> None:
    """A sweep that finds an edit whose event arrives counts no missing event."""

    async def story(azure: LocalAzure) -> None:
        await edit_and_sweep(azure)
        assert (await events_check(azure))["ok"]

    play(story, fleet())
    assert missed(caplog) == []


def test_a_waiting_edit_is_counted_once(caplog: pytest.LogCaptureFixture) -> None:
    """Sweeps that find the same waiting edit while swaps are paused count it once."""

    async def story(azure: LocalAzure) -> None:
        await azure.api("POST", "/api/pause", {"why": "a test"})
        await azure.tag(VM_ID, OsDiskName="web01-new")
        for _ in range(5):
            await azure.fire("sweep")
            await azure.until(lambda: not azure.dispatcher_state().get("look"))
        assert (await events_check(azure))["ok"]

    play(story, [vm_body(), disk_body("web01-new")], events=False)
    assert missed(caplog) == []
