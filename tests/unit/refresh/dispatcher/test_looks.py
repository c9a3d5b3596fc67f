"""Looks: which hints come first, and hints that no look could deal with."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.dispatcher.looks import DEATHS_BEFORE_OUT
from refresh.records.swap import FROM_EVENT, FROM_SWEEP
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.dispatcher import Json, Played, apply

DAY = "2026-11-21T"


def at(minute: int) -> str:
    return f"{DAY}{10 + minute // 60:02}:{minute % 60:02}:00+00:00"


def vm(number: int) -> str:
    return VM_ID.replace("web01", f"vm{number:05}")


def hinted(*vms: str, minute: int = 0, source: str = FROM_EVENT, state: Json | None = None) -> Json:
    return apply(state, "hint", {"vms": list(vms), "at": at(minute), "source": source}).state


def take(state: Json, minute: int = 0) -> Played:
    return apply(state, "take", {"look": state["look"]["id"], "at": at(minute)})


def look(state: Json, reason: str, minute: int = 0) -> Json:
    """A look that refuses each VM it is given, for `reason`."""
    taken = take(state, minute)
    rows = [{"vm": row["vm"], "decision": "refuse", "reason": reason, "message": "m"} for row in taken.answer["vms"]]
    data = {"look": taken.state["look"]["id"], "decisions": rows, "at": at(minute)}
    return take(apply(taken.state, "decided", data).state, minute).state


def given(played: Played) -> list[str]:
    return [row["vm"] for row in played.answer["vms"]]


def test_the_newest_hint_is_looked_at_first() -> None:
    """A person waits for the last edit; a sweep's hints have waited for minutes already."""
    state = hinted(*map(vm, range(15)), source=FROM_SWEEP)
    state = hinted(*map(vm, range(20, 35)), state=state)
    assert given(take(hinted(VM_ID, state=state)))[0] == VM_ID
    assert not set(given(take(state))) & set(map(vm, range(15)))


def test_vms_that_could_not_be_read_come_last() -> None:
    """A VM that was unreadable is in no batch with others: a batch ends when its slowest VM has been read."""
    state = look(hinted(vm(1), vm(2), source=FROM_SWEEP), "unreadable")
    state = hinted(vm(1), vm(2), VM_ID, state=state)
    first = take(state)
    assert given(first) == [VM_ID]
    rows = [{"vm": VM_ID, "decision": "skip", "reason": "already-there", "message": "m"}]
    name = first.state["look"]["id"]
    rest = take(apply(first.state, "decided", {"look": name, "decisions": rows, "at": at(0)}).state)
    assert set(given(rest)) == {vm(1), vm(2)}


def test_sweeps_hint_less_and_less_often_at_a_vm_that_cannot_be_read() -> None:
    """Its pauses double up to an hour; an event has it looked at at once, and an answer ends the pauses."""
    state: Json = {}
    looks = []
    for minute in range(0, 300, 5):
        state = hinted(VM_ID, minute=minute, source=FROM_SWEEP, state=state)
        if state.get("hints"):
            looks.append(minute)
            state = look(state, "unreadable", minute)
    assert looks == [0, 5, 15, 35, 70, 130, 190, 250]
    assert hinted(VM_ID, minute=255, state=state)["hints"]
    read = look(hinted(VM_ID, minute=255, state=state), "locked", 255)
    assert hinted(VM_ID, minute=256, source=FROM_SWEEP, state=read)["hints"]


def test_a_vm_that_is_down_has_no_pause() -> None:
    """Every sweep has it looked at, whether it can be read or not."""
    state = look(hinted(VM_ID, source=FROM_SWEEP), "unreadable")
    assert hinted(VM_ID, minute=1, source=FROM_SWEEP, state={**state, "down": {VM_ID.lower(): {"id": VM_ID}}})["hints"]


def die(state: Json, minute: int) -> Played:
    """A look takes hints and never answers; the sweep finds it dead."""
    taken = take(state, minute)
    return apply(taken.state, "recover", {"at": at(minute + 10), "look": taken.state["look"]["id"]})


def test_a_hint_that_ends_every_look_is_taken_out() -> None:
    """After the first death its VM is looked at alone, behind all others; in the end it is kept under `bad`."""
    state, minute = hinted(VM_ID, vm(1)), 0
    played = die(state, minute)
    assert played.state["hints"][VM_ID.lower()]["deaths"] == 1
    state = hinted(vm(2), state=played.state)
    assert given(take(state, 11)) == [vm(2)]
    state, alone = played.state, []
    for _ in range(2 * DEATHS_BEFORE_OUT + 2):
        minute += 20
        if not state.get("look"):
            break
        alone.append(given(take(state, minute)))
        played = die(state, minute)
        state = played.state
    assert all(len(batch) == 1 for batch in alone)
    assert {row["vm"] for row in state["bad"]} == {VM_ID, vm(1)}
    assert hinted(VM_ID, minute=minute, source=FROM_SWEEP, state=state).get("hints", {}) == {}


@pytest.mark.parametrize("row", [{"first": True}, {}])
def test_a_vm_that_may_be_down_is_never_taken_out(row: Json) -> None:
    """Whatever ends the looks, it is looked at again."""
    hint: Any = {VM_ID.lower(): {"id": VM_ID, "deaths": 99, **row}}
    down = {} if row else {"down": {VM_ID.lower(): {"id": VM_ID}}}
    state = {"hints": hint, "look": {"id": "look-1", "taken": {}, "since": at(0)}, **down}
    assert VM_ID.lower() in {**die(state, 0).state["hints"]}


@pytest.mark.parametrize("reply", [{}, {"reply_to": "swaps-1"}])
def test_an_edit_of_a_vm_that_cannot_be_read_is_tried_three_times(reply: Json) -> None:
    """A throttled VM is read again by the next looks, behind all others; the third failure is its refusal."""
    state = apply(None, "hint", {"vms": [VM_ID], "at": at(0), "source": FROM_EVENT, **reply}).state
    for times in range(1, 4):
        taken = take(state)
        assert given(taken) == [VM_ID]
        name = taken.state["look"]["id"]
        rows = [{"vm": VM_ID, "decision": "refuse", "reason": "unreadable", "message": "m"}]
        played = apply(taken.state, "decided", {"look": name, "decisions": rows, "at": at(0)})
        assert bool(played.answer["vms"]) == (times == 3)
        state = played.state
        if times < 3:
            assert state["hints"][VM_ID.lower()]["tries"] == times
            assert given(take(hinted(vm(50), state=state))) == [vm(50)]
    assert state["hints"] == {}
