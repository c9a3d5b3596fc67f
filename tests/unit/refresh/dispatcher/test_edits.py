"""Edits that only sweeps find: which ones count, when they are logged, and when the count ends."""

from __future__ import annotations

import json

import pytest

from refresh.dispatcher.announced import KEEP_SAID
from refresh.dispatcher.edits import are_missing
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.swap import FROM_EVENT, FROM_SWEEP
from tests.support.worlds.builders import GROUP, disk_id
from tests.support.worlds.dispatcher import Json, Played, apply

VMS = [f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web{number:02}" for number in range(40)]


def at(minute: int) -> str:
    return f"2026-11-21T10:{minute:02}:00+00:00"


def looked(state: Json, vms: list[str], source: str, minute: int, disk: str = "new", decision: str = "swap") -> Played:
    """The effects of a look at hints from `source`: every VM's tag names `disk`, and no swap may begin."""
    data = {"at": at(minute)}
    state = {**state, "budgets": {"max_swaps": 0}, "paused": {"why": ""}}
    hinted = apply(state, "hint", {**data, "vms": vms, "source": source})
    look = {**data, "look": hinted.state["look"]["id"]}
    taken = apply(hinted.state, "take", look)
    rows = [{"vm": vm, "decision": decision, "reason": "wanted", "message": "m", "wanted": disk_id(disk)} for vm in vms]
    done = apply(taken.state, "decided", {**look, "decisions": rows, "batch": taken.answer["batch"]})
    return Played(apply(done.state, "take", look).state, loud=done.loud)


def swept(state: Json, count: int, *, first: int = 0) -> Played:
    """`count` sweeps, each with an edit of its own that no event reported."""
    played = Played(state)
    for number in range(first, first + count):
        played = looked(played.state, [VMS[number]], FROM_SWEEP, 5 * number)
    return played


def test_the_third_sweep_that_finds_an_unreported_edit_logs_it() -> None:
    """The line has the first sweep, the last event and the VMs; each later sweep that finds more logs it again."""
    assert not are_missing(DispatcherState(swept({}, 2).state))
    third = swept({}, 3)
    (line,) = third.loud
    assert json.loads(line.removeprefix("unreported ")) == {"since": at(0), "last_event": None, "vms": VMS[:3]}
    many = looked(third.state, VMS[10:30], FROM_SWEEP, 30)
    assert len(many.loud) == 1
    assert len(json.dumps(many.state["events"])) < 2000


def test_one_event_ends_the_count() -> None:
    """One event about any VM shows that events arrive."""
    ended = looked(swept({}, 3).state, [VMS[39]], FROM_EVENT, 40)
    assert not are_missing(DispatcherState(ended.state))
    assert ended.state["events"] == {"seen": at(40)}
    assert not are_missing(DispatcherState(swept(ended.state, 2, first=4).state))


@pytest.mark.parametrize("count", [1, 20, 40])
def test_wishes_that_events_reported_and_that_stay_unfulfilled_are_no_edits(count: int) -> None:
    """VMs that every sweep finds again after a refusal do not count, because their event came first."""
    played = looked({}, VMS[:count], FROM_EVENT, 0)
    for minute in range(5, 40, 5):
        state = {**played.state, "queue": {}}  # the swap was refused and requested again
        played = looked(state, VMS[:count], FROM_SWEEP, minute)
        assert played.loud == []
    assert not are_missing(DispatcherState(played.state))


def test_a_refused_wish_is_no_edit_to_fulfil() -> None:
    """A VM that the look refuses or skips never counts."""
    played = Played({})
    for number in range(5):
        played = looked(played.state, [VMS[number]], FROM_SWEEP, 5 * number, decision="refuse")
    assert "events" not in played.state


def test_at_the_limit_of_logged_decisions_an_unknown_vm_is_no_edit() -> None:
    """At the limit of logged decisions a VM without one does not count; a VM with one does."""
    state = swept({}, 1).state
    state["said"] |= {f"{number:012}": "x" for number in range(KEEP_SAID)}
    assert len(swept(state, 3, first=1).state["events"]["sweeps"]) == 1
    again = looked(state, [VMS[0]], FROM_SWEEP, 50, disk="newer").state
    assert len(again["events"]["sweeps"]) == 2
