"""VMs on which the app itself fails, in the dispatcher's state."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.dispatcher.broken_vms import FAILURES_BEFORE_OUT
from refresh.records.swap import FROM_EVENT, FROM_SWEEP
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.dispatcher import Json, Played, apply

AT = "2026-11-21T10:00:00+00:00"
NEXT_DAY = "2026-11-22T10:00:01+00:00"
VM = VM_ID.lower()
OTHER = f"{VM}2"
HOSTILE: tuple[Any, ...] = (None, 7, 1.5, True, "", "\ud800", "\0", [], {}, [None], {"id": None}, "x" * 10_000_000)


def hint(state: Json, vm: object = VM_ID, source: str = FROM_SWEEP, at: str = AT) -> Json:
    return apply(state, "hint", {"vms": [vm], "at": at, "source": source}, "p1").state


def look(state: Json, **row: Any) -> Played:
    """The open look takes its hints and decides about each."""
    name = state["look"]["id"]
    taken = apply(state, "take", {"look": name, "at": AT}, "p1")
    rows = [{"vm": one["vm"], "decision": "refuse", "reason": "app-failed", "message": "m", **row}
            for one in taken.answer["vms"]]  # fmt: skip
    done = apply(taken.state, "decided", {"look": name, "at": AT, "decisions": rows}, "p1")
    ended = apply(done.state, "take", {"look": name, "at": AT}, "p1")
    assert ended.answer == {"vms": []}
    return Played(ended.state, loud=done.loud)


def taken_out() -> Json:
    state: Json = {}
    for _ in range(FAILURES_BEFORE_OUT):
        state = look(hint(state)).state
    return state


def test_a_vm_is_taken_out_after_three_failures_in_a_row() -> None:
    """Each of the first three is logged as an error; the third is kept under `bad`, and sweeps no longer hint at it."""
    state: Json = {}
    loud: list[str] = []
    for _ in range(FAILURES_BEFORE_OUT):
        played = look(hint(state))
        state, loud = played.state, [*loud, *played.loud]
    assert [line.split(" ")[0] for line in loud] == ["broken", "broken", "broken", "taken"]
    assert [(row["operation"], row["vm"]) for row in state["bad"]] == [("look", VM_ID)]
    assert hint(state).get("hints", {}) == {}
    assert hint(state, source=FROM_EVENT)["hints"]
    assert hint(state, at=NEXT_DAY)["hints"]
    assert apply(state, "hint", {"vms": [VM_ID], "at": AT, "source": FROM_SWEEP}, "p2").state["hints"]


def test_a_vm_that_is_down_is_never_taken_out() -> None:
    """A sweep still has it looked at."""
    assert hint({**taken_out(), "down": {VM: {"id": VM_ID}}})["hints"]


def test_a_decision_without_a_failure_ends_the_count() -> None:
    """After two failures and a refusal for a known reason, three more failures are needed."""
    state: Json = {}
    for reason in ("app-failed", "app-failed", "locked", "app-failed", "app-failed"):
        state = look(hint(state), reason=reason).state
    assert "bad" not in state
    assert hint(state)["hints"]


@pytest.mark.parametrize("stored", HOSTILE)
def test_no_stored_hint_can_fail_a_take(stored: Any) -> None:
    """Whatever stands under a hint, the look gets the other hints, and the next take ends it."""
    state = hint(hint({}), OTHER)
    for vm in (VM, "not an id", "\ud800"):
        state["hints"] = {vm: stored, **state["hints"]}
    taken = apply(state, "take", {"look": state["look"]["id"], "at": AT}, "p1")
    assert OTHER in [row["vm"] for row in taken.answer["vms"]]
    assert taken.state["hints"] == {}


def test_a_take_goes_on_behind_fifty_hints_that_cannot_be_read() -> None:
    """The first answer has the hint that can be read."""
    state = hint({}, OTHER)
    state["hints"] = {**{f"bad{number}": 7 for number in range(120)}, **state["hints"]}
    state = hint(state, OTHER)
    taken = apply(state, "take", {"look": state["look"]["id"], "at": AT}, "p1")
    assert [row["vm"] for row in taken.answer["vms"]] == [OTHER]


@pytest.mark.parametrize("bad", HOSTILE)
def test_no_hint_stops_the_hints_beside_it(bad: Any) -> None:
    """An id of any type or length is kept under `bad`; the VMs of the same signal are hinted at."""
    data = {"vms": [bad, VM_ID, f"{VM_ID}\ud800", VM_ID.replace("rg-app", "rg\ud800")], "at": bad, "source": FROM_EVENT}
    played = apply({}, "hint", data)
    assert list(played.state["hints"]) == [VM]
    assert len(played.state["bad"]) == 3
    assert all(len(row["why"]) <= 200 for row in played.state["bad"])
    str(played.state["bad"]).encode()


@pytest.mark.parametrize("bad", HOSTILE)
@pytest.mark.parametrize("field", ["vm", "decision", "reason", "message", "wanted", "group", "reply_to", "lost", "up"])
def test_no_decision_stops_the_decisions_beside_it(field: str, bad: Any) -> None:
    """A row of a look with any field of any type is decided, or kept under `bad`; the other VM is admitted."""
    state = hint(hint({}), OTHER)
    name = state["look"]["id"]
    state = apply(state, "take", {"look": name, "at": AT}).state
    rows = [{"vm": vm, "decision": "swap", "reason": "wanted", "message": "m", "wanted": vm} for vm in (VM_ID, OTHER)]
    rows[0] |= {field: bad}
    played = apply(state, "decided", {"look": name, "at": AT, "decisions": rows})
    assert OTHER in played.state["running"]
