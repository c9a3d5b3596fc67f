"""Subscriptions that a look lists: many hints are one list, and the queue holds the next swaps only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refresh.activities.swap.list_mismatches import choose_vms
from refresh.dispatcher.lists import LEAST_QUEUE, QUEUED_PER_GROUP
from refresh.domain.terms.resource_id import id_hash
from refresh.records.swap import VMS_PER_LIST
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID, disk_id, make_vm
from tests.support.worlds.dispatcher import Json, Played, apply

AT = "2026-11-21T10:00:00+00:00"
KEY = SUBSCRIPTION.lower()
MAX_SWAPS = 4


def vm(number: int) -> str:
    return VM_ID.replace("web01", f"vm{number:05}")


def hinted(*vms: str, state: Json | None = None, **data: Any) -> Json:
    return apply(state, "hint", {"vms": list(vms), "at": AT, "source": "event", **data}).state


def storm(state: Json | None = None, **data: Any) -> Json:
    return hinted(*(vm(number) for number in range(300)), state=state, **data)


def take(state: Json, **listed: Any) -> Played:
    part = {"listed": {"subscription": SUBSCRIPTION, **listed}} if listed else {}
    return apply(state, "take", {"look": state["look"]["id"], "at": AT, **part})


def decide(state: Json, *rows: Json) -> Played:
    look = state["look"]
    rows = tuple({"decision": "swap", "reason": "wanted", "message": "m", **row} for row in rows)
    data = {"look": look["id"], "batch": look["batch"], "decisions": list(rows), "budgets": {"max_swaps": MAX_SWAPS}}
    return apply(state, "decided", {**data, "at": AT})


def wish(number: int, **row: Any) -> Json:
    return {"vm": vm(number), "wanted": disk_id(f"new{number}"), **row}


def fill(state: Json, most: int = 1000, **row: Any) -> Json:
    """Have looks decide to swap the VMs of a list, until the queue takes no more."""
    number = 0
    while number < most:
        played = take(state, vms=[vm(n) for n in range(number, number + 10)], more=True, end=False)
        number += 10
        wishes = [wish(int(one["vm"][-5:]), **row) for one in played.answer["vms"]]
        state = decide(played.state, *wishes).state if wishes else played.state
        if not played.answer.get("more"):
            break
    return state


def test_many_hints_of_a_subscription_become_a_list() -> None:
    """The state has one row for them, and a look is given the subscription instead of the VMs."""
    state = storm()
    assert (state["hints"], list(state["lists"])) == ({}, [KEY])
    listing = take(state).answer
    assert listing["vms"] == []
    assert listing["list"]["subscription"] == SUBSCRIPTION.lower()


@pytest.mark.parametrize("kept", [{"force": True}, {"reply_to": "swaps-1"}, {"first": True}])
def test_a_hint_that_a_list_cannot_replace_stays(kept: Json) -> None:
    """A run that waits for the VM, force, and a VM that may be down are looked at by themselves."""
    state = storm(hinted(VM_ID, **kept))
    assert list(state["hints"]) == [VM_ID.lower()]
    for part, row in (("down", {"id": VM_ID}), ("queue", {"id": VM_ID}), ("unproven", {"id": VM_ID, "intent": {}})):
        state = storm(hinted(VM_ID, state={part: {VM_ID.lower(): row}}))
        assert list(state["hints"]) == [VM_ID.lower()], part


def test_the_vms_of_a_list_are_looked_at_and_the_list_ends() -> None:
    """Each VM that the list has found gets a decision; then nothing is left of the list."""
    listing = take(storm()).state
    found = take(listing, vms=[vm(3), vm(5)], end=True)
    assert [row["vm"] for row in found.answer["vms"]] == [vm(3), vm(5)]
    done = decide(found.state, wish(3), wish(5, decision="refuse"))
    assert take(done.state).state.get("lists") == {}


def test_hints_that_come_during_a_list_have_it_read_again() -> None:
    """The list may have been read before the edit: the subscription is listed once more, from its beginning."""
    listing = take(storm()).state
    ended = take(storm(listing), vms=[], end=True)
    assert "list" in ended.answer or "list" in take(ended.state).answer
    assert ended.state["lists"][KEY].get("after") is None


def test_vms_that_a_list_has_found_are_looked_at_while_hints_never_end() -> None:
    """The list is not read again before them, nor before a VM of another subscription, although hints ask for it."""
    other = VM_ID.replace(SUBSCRIPTION, "22222222-2222-2222-2222-222222222222")
    lists, looked_at = 0, list[str]()
    played = take(hinted(other, state=storm(take(storm()).state)), vms=[vm(3), vm(5)], end=True)
    for _ in range(12):
        if "list" in played.answer:
            lists += 1
            played = take(storm(played.state), vms=[vm(3), vm(5)], end=True)
            continue
        looked_at += [row["vm"] for row in played.answer["vms"]]
        decisions = [{"vm": row["vm"], "decision": "refuse"} for row in played.answer["vms"]]
        played = take(storm(decide(played.state, *decisions).state))
    assert {other, vm(3), vm(5)} <= set(looked_at[:5])
    assert lists >= 2


def test_a_list_that_cannot_be_read_waits_for_the_next_sweep() -> None:
    """It is logged as an error, and the look goes on with other hints."""
    failed = take(hinted(VM_ID, state=take(storm()).state), vms=[], error="no answer")
    assert [row["vm"] for row in failed.answer["vms"]] == [VM_ID]
    assert failed.loud == [f"the VMs of subscription {SUBSCRIPTION} could not be listed: no answer"]
    rested = decide(failed.state, wish(0, vm=VM_ID, decision="skip")).state
    assert take(rested).answer == {"vms": []}
    again = apply(take(rested).state, "recover", {"at": AT})
    assert [start[0] for start in again.starts] == ["look"]


def test_the_queue_holds_the_next_swaps_and_the_list_finds_the_others() -> None:
    """With every VM of a large fleet to be swapped, the queue stays small, and ended swaps have the list go on."""
    state = fill(take(storm()).state)
    assert len(state["running"]) == MAX_SWAPS
    assert len(state["queue"]) <= LEAST_QUEUE + 10
    assert len(json.dumps(state)) < 60_000
    after = state["lists"][KEY]["after"]
    state = apply(state, "take", {"look": state["look"]["id"], "at": AT}).state
    starts: list[Any] = []
    while not starts:
        name, row = next(iter(state["running"].items()))
        outcome = {"vm": row["id"], "run": "r", "status": "refused", "reason": "locked", "message": "m"}
        played = apply(state, "finished", {"vm": name, "n": row["n"], "outcome": outcome, "at": AT})
        state, starts = played.state, [start for start in played.starts if start[0] == "look"]
    assert take(state).answer["list"]["after"] == after


def test_swaps_that_a_list_cannot_find_again_are_always_queued() -> None:
    """A full queue still takes a swap back, one that a run waits for, one with force, and a VM that is down."""
    state = fill(take(storm()).state)
    full = len(state["queue"])
    ran = disk_id("before")
    state = {**state, "ran": {}}
    kept: tuple[Json, ...] = ({"reply_to": ["swaps-1"]}, {"force": True}, {"reason": "recover"})
    for number, row in enumerate(kept, 900):
        state = hinted(vm(number), state=state)
        state = decide(take(state).state, wish(number, **row)).state
        assert vm(number).lower() in {**state["queue"], **state["running"]}
    assert len(state["queue"]) >= full
    state = {**state, "ran": {id_hash(vm(999)): [id_hash(ran)]}}
    state = decide(take(hinted(vm(999), state=state)).state, wish(999, wanted=ran)).state
    assert state["queue"][vm(999).lower()]["back"] is True


def test_an_availability_set_does_not_fill_the_queue() -> None:
    """One VM of a set is swapped at a time: the others of the set leave the queue to other VMs."""
    state = take(storm()).state
    found = take(state, vms=[vm(number) for number in range(10)], end=True)
    state = decide(found.state, *(wish(number, group="/sets/one") for number in range(10))).state
    assert len(state["queue"]) + len(state["running"]) == QUEUED_PER_GROUP
    assert state["lists"][KEY]["resting"] is True


def test_a_list_goes_on_behind_the_last_vm_and_leaves_out_crowded_sets() -> None:
    """Each VM is looked at once for each reading of the list, in the order of ids."""
    vms = [make_vm(id=vm(number), availability_set="/Sets/One" if number % 2 else None) for number in range(20)]
    chosen = choose_vms(reversed(vms), {"after": vm(3).lower(), "groups": {"/sets/one": 2}, "most": 3})
    assert chosen["vms"] == [vm(4), vm(5), *(vm(number) for number in range(6, 20, 2))]
    assert (chosen["end"], chosen["skipped"]) == (True, True)
    many = choose_vms([make_vm(id=vm(number)) for number in range(VMS_PER_LIST + 7)], {"most": 3})
    assert (len(many["vms"]), many["end"], many["rest"]) == (VMS_PER_LIST, False, 7)
