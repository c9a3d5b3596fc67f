"""VMs that are down in the dispatcher: they are looked at and started first, also during a pause, which stops no VM."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.records.swap import Intent
from refresh.views.queue import queue_view
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import Json, Played, apply, view_of
from tests.unit.refresh.dispatcher.test_operations import AT, INTENT, LAST, LATER, VM, decided, finished, looked, play

PAUSED: Json = {"paused": {"since": AT, "why": "incident"}}
UNCHECKED: Json = {"budgets": {"max_swaps": 2, "selfcheck": True}}
REVIVAL = Intent("swap-x-1", True, disk_id("old"), disk_id("old")).to_json()


def other(number: int) -> str:
    return VM_ID.replace("web01", f"bulk{number}")


def rows(count: int, **row: Any) -> Json:
    return {other(number).lower(): {"id": other(number), "n": 100 + number, **row} for number in range(count)}


def started(played: Played) -> list[str]:
    return [start[2]["vm"] for start in played.starts if start[0] == "swap_vm"]


def recovered(state: Json) -> Played:
    """The effects of a look that finds a VM stopped by a swap without a record."""
    return looked({"seq": 1, **state}, decided(reason="recover"))


@pytest.mark.parametrize(
    "state",
    [PAUSED, UNCHECKED, {"running": rows(2)}, {"running": rows(1, group="set")}, {**PAUSED, "running": rows(2)}],
    ids=["paused", "unchecked", "full", "set", "paused and full"],
)
def test_a_vm_that_is_down_is_started_at_once(state: Json) -> None:
    """It waits for no pause, self-check or swap; its row counts as a start, not as a swap."""
    played = recovered(state)
    assert started(played) == [VM_ID]
    assert played.state["running"][VM]["urgent"] is True
    left_down = looked({"seq": 1, "down": {VM: {"id": VM_ID}}, **state}, decided(wanted=disk_id("new")))
    assert started(left_down) == [VM_ID]
    assert left_down.state["running"][VM]["urgent"] is True


def test_after_an_outage_as_many_vms_are_started_at_once_as_the_limit_allows() -> None:
    """Of 30 VMs that are down 24 start, the end of each starts the next, and each that waits shows why."""
    queue = {vm: {"id": row["id"], "urgent": True} for vm, row in rows(30).items()}
    first = apply({**PAUSED, "queue": queue, "seq": 1}, "recover", {"at": AT})
    assert started(first) == [other(number) for number in range(24)]
    waiting = queue_view(view_of(first.state), 20)["waiting"]
    assert {row["reason"] for row in waiting} == {"starts-in-flight"}
    assert "24 VMs that are down are being started" in waiting[0]["message"]
    n = first.state["running"][other(0).lower()]["n"]
    outcome = {**finished("not-proven", reason="recover")[1]["outcome"], "vm": other(0)}
    ended = apply(first.state, "finished", {"vm": other(0), "n": n, "outcome": outcome, "at": AT})
    assert started(ended) == [other(24)]


def test_starts_that_wait_for_capacity_delay_no_other_start() -> None:
    """A zone without capacity does not stop the starts elsewhere: a wait for capacity occupies no activity."""
    waits = {"attention": "no room", "attention_reason": "no-capacity"}
    assert started(recovered({"running": rows(24, urgent=True, **waits)})) == [VM_ID]
    assert started(recovered({"running": rows(24, urgent=True)})) == []


def test_a_proof_is_no_start() -> None:
    """A VM whose disk is to be proved runs, and its proof can end in a stop, so it waits for the end of a pause."""
    row = {"id": VM_ID, "intent": INTENT, "step": "prove", "proves_since": AT}
    assert started(apply({**PAUSED, "queue": {VM: row}}, "recover", {"at": AT})) == []
    assert started(apply({"queue": {VM: row}}, "recover", {"at": AT})) == [VM_ID]


def intended(state: Json, intent: Json, **data: Any) -> Played:
    """The effects of the intent of a swap that was admitted to start a VM that is down."""
    running = {**state.get("running", {}), VM: {"id": VM_ID, "n": 2, "claimed": True, "urgent": True, "since": AT}}
    step = {"vm": VM_ID, "n": 2, "step": "intent", "intent": intent, "tags": {}, "at": LATER, **data}
    return apply({**state, "running": running}, "step", step)


@pytest.mark.parametrize(
    ("state", "reason"),
    [(PAUSED, "paused"), ({"running": rows(20)}, "swaps-in-flight"), (UNCHECKED, None)],
    ids=["paused", "full", "unchecked"],
)
def test_a_vm_that_runs_again_is_not_stopped_as_one_that_is_down(state: Json, reason: str | None) -> None:
    """Its swap ends before the stop, and the VM waits like any other."""
    played = intended({**state, "down": {VM: {"id": VM_ID}}}, INTENT)
    assert VM not in played.state["down"]
    assert (played.answer["ok"], played.answer["paused"], played.answer.get("reason")) == (False, True, reason)
    assert "intent" not in played.state["running"][VM]
    assert played.state["running"][VM]["again"] == {"id": VM_ID}


def test_a_vm_that_runs_again_is_swapped_where_a_swap_may_begin() -> None:
    """From its intent on the run counts as a swap, not as a start."""
    played = intended({"down": {VM: {"id": VM_ID}}}, INTENT)
    assert (played.answer, played.state["down"]) == ({"ok": True}, {})
    assert "urgent" not in played.state["running"][VM]


@pytest.mark.parametrize("state", [PAUSED, UNCHECKED, {"running": rows(20)}], ids=["paused", "unchecked", "full"])
def test_a_start_goes_on_whatever_happens_meanwhile(state: Json) -> None:
    """The intent of a start, and of a disk change of a VM that does not run, stops nothing."""
    assert intended(state, REVIVAL, urgent=True).answer == {"ok": True}
    assert intended({**state, "down": {VM: {"id": VM_ID}}}, {**INTENT, "was_running": False}).answer == {"ok": True}


def test_a_lost_claim_that_has_stopped_nothing_is_not_started_again_during_a_pause() -> None:
    """A pause stops every new downtime; the VM is looked at again, with its force and the runs that wait for it."""
    claim = {"id": VM_ID, "n": 2, "since": AT, "force": True, "reply_to": ["swaps-1"]}
    sweeps = [("recover", {"gone": [{"vm": VM, "n": 2}], "at": at}) for at in (LATER, LAST)]

    def lost(state: Json, **row: Any) -> Played:
        return play(*sweeps, state={"seq": 2, **state, "running": {VM: {**claim, **row}}})

    held = lost(PAUSED)
    assert (started(held), held.state["running"]) == ([], {})
    assert held.state["hints"][VM] == {"id": VM_ID, "force": True, "reply_to": ["swaps-1"]}
    assert started(lost({})) == [VM_ID]
    assert started(lost(PAUSED, intent=INTENT, step="start")) == [VM_ID]
    assert started(lost(PAUSED, urgent=True)) == [VM_ID]


def test_a_look_takes_vms_that_may_be_down_first() -> None:
    """A VM that has the mark of a swap, or that a swap has left down, does not wait behind other hints, nor a list."""
    storm = {"vms": [other(number) for number in range(30)], "at": AT}
    marked, left = VM_ID.replace("web01", "marked"), VM_ID.replace("web01", "left")
    state: Json = {"down": {left.lower(): {"id": left}}, "look": {"id": "look-9", "taken": {}, "since": AT}}
    state = apply(state, "hint", storm).state
    state = apply(state, "hint", {"vms": [marked], "first": True, "source": "sweep", "at": AT}).state
    state = apply(state, "recover", {"at": AT}).state
    taken = apply(state, "take", {"look": "look-9", "at": AT})
    assert [row["vm"] for row in taken.answer["vms"][:3]] == [marked, left, other(29)]
    assert len(taken.answer["vms"]) == 20
    assert len(taken.state["hints"]) == 32 - 20
    many = apply(state, "hint", {"vms": [other(number) for number in range(3000)], "at": AT}).state
    assert [row["vm"] for row in apply(many, "take", {"look": "look-9", "at": AT}).answer["vms"]] == [marked, left]


def test_a_swap_back_is_admitted_before_the_others() -> None:
    """A disk that the VM is known to have run is a swap back; the queue shows the order of admission."""
    queue = {vm: {"id": row["id"], "wanted": disk_id(f"bulk{vm[-1]}")} for vm, row in rows(4).items()}
    intent = ("step", {"vm": VM_ID, "n": 2, "step": "intent", "intent": INTENT})
    over = play(intent, finished(), state={"running": {VM: {"id": VM_ID, "n": 2}}, "seq": 2}).state
    state = looked({**over, "look": None, "hints": {}, **PAUSED, "queue": queue}, decided(wanted=disk_id("OLD"))).state
    assert state["queue"][VM]["back"] is True
    assert queue_view(view_of(state), 20)["waiting"][0]["vm"] == VM_ID
    assert started(apply(state, "resume", {"at": LAST})) == [VM_ID, other(0)]
    newer = looked({**state, "look": None}, decided(wanted=disk_id("newest")))
    assert "back" not in newer.state["queue"][VM]
