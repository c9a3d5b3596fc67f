"""The queue's view: which VMs wait and why."""

from __future__ import annotations

import pytest

from refresh.views.queue import queue_view
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import view_of

OTHER = VM_ID.replace("web01", "web02")


def test_an_app_that_never_ran_has_an_empty_queue() -> None:
    """Before the dispatcher's first operation the queue is empty and not paused."""
    view = queue_view(view_of(), 20)
    assert view["paused"] is False
    assert (view["running"], view["waiting"], view["looking"]) == ([], [], [])


@pytest.mark.parametrize(
    ("state", "reason", "part"),
    [
        ({"paused": {"why": "change freeze"}}, "paused", "change freeze"),
        ({"running": {"x": {"id": "x", "n": 1}}, "budgets": {"max_swaps": 1}}, "swaps-in-flight", "1 are allowed"),
        ({"running": {"x": {"id": "x", "n": 1, "group": "set"}}}, "availability-set", "availability set"),
        ({}, None, "next to be started"),
    ],
    ids=["paused", "full", "availability set", "free"],
)
def test_every_waiting_vm_has_a_reason(state: dict[str, object], reason: str | None, part: str) -> None:
    """Each waiting VM has the code of what it waits for and a sentence."""
    row = {"id": VM_ID, "wanted": disk_id("web01-202611"), "since": "2026-11-01T00:00:00+00:00", "group": "set"}
    (waiting,) = queue_view(view_of({**state, "queue": {VM_ID.lower(): row}}), 1)["waiting"]
    assert waiting["reason"] == reason
    assert part in waiting["message"]
    assert (waiting["vm"], waiting["wanted"]) == (VM_ID, "web01-202611")


def test_vms_about_to_be_looked_at_are_listed_once() -> None:
    """VMs with a hint and VMs that the open look has taken are one list."""
    hint = {"id": VM_ID}
    state = {"hints": {VM_ID.lower(): hint}, "look": {"id": "look-1", "taken": {OTHER.lower(): {"id": OTHER}}}}
    assert sorted(queue_view(view_of(state), 20)["looking"]) == [VM_ID, OTHER]


def test_a_swap_under_way_shows_its_disks() -> None:
    """A running row has run, step and the disks of its intent."""
    intent = {"old_disk": disk_id("web01-old"), "new_disk": disk_id("web01-202611")}
    state = {"running": {VM_ID.lower(): {"id": VM_ID, "n": 3, "step": "start", "intent": intent}}}
    (row,) = queue_view(view_of(state), 20)["running"]
    assert row["run"].startswith("swap-")
    assert row["run"].endswith("-3")
    assert (row["step"], row["old_disk"], row["new_disk"]) == ("start", intent["old_disk"], intent["new_disk"])
