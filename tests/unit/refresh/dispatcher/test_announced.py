"""What has been announced about a VM is remembered for each VM, not for the last of the fleet."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.dispatcher.announced import KEEP_SAID
from refresh.dispatcher.vm_memory import announce
from refresh.domain.terms.resource_id import id_hash
from refresh.records.vm_memory import VmMemory
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.dispatcher import Played, apply

type Json = dict[str, Any]

KEY = id_hash(VM_ID)
AT = "2026-11-29T02:00:00+00:00"
REFUSAL = {"vm": VM_ID, "decision": "refuse", "reason": "disk-not-found", "message": "no", "wanted": "missing"}
SWAP = {"vm": VM_ID, "decision": "swap", "reason": "wanted", "message": "go", "wanted": "there"}


def decided(row: Json, state: Json | None = None) -> Played:
    """A look decides `row`; `state` is the one before."""
    hinted = apply(state, "hint", {"vms": [VM_ID], "at": AT})
    look = hinted.state["look"]["id"]
    taken = apply(hinted.state, "take", {"look": look, "at": AT})
    data = {"look": look, "batch": taken.answer["batch"], "decisions": [row], "at": AT}
    return apply(taken.state, "decided", data)


def notes(played: Played) -> list[Json]:
    return [{**one.data, "n": 0} for one in played.signals if one.operation == "announce"]


def told_of(played: Played) -> str:
    (note,) = notes(played)
    return str(note["told"])


def test_a_refusal_is_logged_and_noted_once() -> None:
    """The note in `vm_memory` counts although the state no longer has the decision."""
    first = decided(REFUSAL)
    assert first.lines == [f"refuse {VM_ID}: disk-not-found: no"]
    assert notes(first) == [{"n": 0, "vm": KEY, "told": told_of(first)}]
    full = {"said": {f"{number:012}": "x" for number in range(KEEP_SAID)}}
    again = decided({**REFUSAL, "told": told_of(first)}, full)
    assert (again.lines, notes(again)) == ([], [])


@pytest.mark.parametrize("changed", [{"reason": "disk-in-use"}, {"wanted": "other"}, {"lost": "how swap-1 ended"}])
def test_another_refusal_is_logged_and_noted(changed: Json) -> None:
    """Another reason, another wish, a lost swap."""
    first = told_of(decided(REFUSAL))
    again = decided({**REFUSAL, **changed, "told": first})
    assert [*again.lines, *again.loud]
    assert told_of(again) != first


def test_a_decision_that_is_no_refusal_removes_the_note() -> None:
    """The same refusal is news after it."""
    assert notes(decided({**SWAP, "told": "1234abcd"})) == [{"n": 0, "vm": KEY, "told": None}]
    assert notes(decided({**SWAP, "outdated": True})) == [{"n": 0, "vm": KEY, "refused": None}]
    assert notes(decided(SWAP)) == []


@pytest.mark.parametrize("reason", ["unreadable", "vm-busy", "app-failed"])
def test_a_refusal_that_passes_by_itself_keeps_the_note(reason: str) -> None:
    """What was refused before is not logged once more after an outage."""
    assert notes(decided({**REFUSAL, "reason": reason, "told": "1234abcd"})) == []


def test_a_swap_that_was_refused_before_is_not_logged() -> None:
    """Every sweep decides it again."""
    assert decided({**SWAP, "retried": True}).lines == []
    assert decided(SWAP).lines == [f"swap {VM_ID}: wanted: go"]


def test_the_last_message_counts_for_each_note() -> None:
    """Late and doubled messages change nothing; the two notes of a VM do not disturb each other."""
    memory = VmMemory()
    refused = {"reason": "disallowed-by-policy", "about": "x"}
    announce(memory, {"n": 3, "vm": KEY, "told": "new"})
    announce(memory, {"n": 2, "vm": KEY, "told": None})
    announce(memory, {"n": 1, "vm": KEY, "refused": refused})
    row = memory.vms[KEY]
    assert row.told == "new"
    assert row.refused is not None and row.refused.json == refused
    announce(memory, {"n": 4, "vm": KEY, "refused": None})
    announce(memory, {"n": 1, "vm": KEY, "refused": refused})
    assert (memory.vms[KEY].told, memory.vms[KEY].refused) == ("new", None)
