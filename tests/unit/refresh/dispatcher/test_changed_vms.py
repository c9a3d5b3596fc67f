"""What the dispatcher keeps of the last fulfilled tags, and which refusals of looks are news."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.dispatcher.vm_memory import fulfill
from refresh.domain.terms.resource_id import id_hash
from refresh.domain.vm.facts import disk_key
from refresh.records.swap import Intent, Outcome, OutcomeStatus
from refresh.records.vm_memory import VmMemory
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import Json, Played
from tests.unit.refresh.dispatcher.test_operations import AT, CLAIM, HINT, LATER, TAKE, VM, decided, looked, play

KEY = id_hash(VM_ID)
OLD, NEW, OTHER = (disk_key("vm-1", disk_id(name)) for name in ("old", "new", "other"))
INTENT = Intent("swap-x-2", True, disk_id("old"), disk_id("new"), unique_id="vm-1").to_json()
LAST = {"disk": NEW, "at": "2026-11-21T10:20:00Z"}


def swapped(status: str, reason: str = "verified", step: str = "health", **row: Any) -> Played:
    """The end of swap 2, which was at `step`."""
    outcome = Outcome(
        VM_ID, "swap-x-2", OutcomeStatus(status), reason, "m", disk_id("old"), disk_id("new"), ended=LATER
    )
    begun = play(HINT, TAKE, decided(), TAKE, CLAIM, ("step", {"vm": VM_ID, "n": 2, "step": step, "intent": INTENT}))
    running = {VM: {**begun.state["running"][VM], **row}}
    end = ("finished", {"vm": VM_ID, "n": 2, "outcome": outcome.to_json()})
    return play(end, state={**begun.state, "running": running})


def changed(runs: str = OTHER, **fulfilled: Any) -> tuple[str, Json]:
    """A look's refusal of the VM, which runs disk `runs`."""
    return decided(decision="refuse", reason="changed-by-others", os_disk=runs, fulfilled={**LAST, **fulfilled})


@pytest.mark.parametrize(
    ("played", "disk"),
    [
        (swapped("succeeded"), NEW),
        (swapped("not-proven", "was-not-running"), NEW),
        (swapped("rolled-back", "unhealthy", "undo-start"), OLD),
        (swapped("refused", "step-failed", "undo-start"), OLD),
        (swapped("not-proven", "changed-by-others", "stop"), NEW),
        (swapped("not-proven", "changed-by-others", "undo-old-disk"), OLD),
        (swapped("needs-attention", "undo-failed", "undo-old-disk"), None),
        (swapped("skipped", "vm-gone", "stop"), None),
    ],
)
def test_a_swap_notes_the_disk_that_it_left_the_vm_with(played: Played, disk: str | None) -> None:
    """Also that the disk is not known; `vm_memory` gets the same row."""
    row = played.state["fulfilled"][KEY]
    assert (row.get("disk"), row["at"]) == (disk, "2026-11-21T10:20:00Z")
    (sent,) = [one.data for one in played.signals if one.entity == "vm_memory"]
    assert sent == {"vm": KEY, "row": row}
    assert played.state["filled"] == KEY[:2]


@pytest.mark.parametrize(
    "played",
    [
        swapped("refused", "tags-not-written", "intent"),
        swapped("skipped", "on-hold", proves_since=AT),
        swapped("refused", "locked", intent=None),
    ],
    ids=["its tags were not written", "a proof that did not end", "nothing was begun"],
)
def test_a_swap_that_has_changed_nothing_notes_nothing(played: Played) -> None:
    """What was fulfilled before still counts."""
    assert "fulfilled" not in played.state


def test_a_change_is_news_once_for_each_disk() -> None:
    """The answer names the VM for the first refusal about a disk alone, and it is logged then alone."""
    first = play(HINT, TAKE, changed())
    assert first.answer == {"vms": [VM], "changed": [VM]}
    assert len(first.lines) == 1
    again = looked(first.state, changed())
    assert (again.answer, again.lines) == ({"vms": [VM]}, [])
    remembered = play(HINT, TAKE, changed(told=OTHER))
    assert remembered.answer == {"vms": [VM]}
    assert looked(first.state, changed(OLD)).answer["changed"] == [VM]


def test_a_decision_that_a_swap_has_made_old_does_not_count() -> None:
    """Neither while the VM is being swapped nor after a swap that ended since: the VM is looked at again."""
    queued = play(HINT, TAKE, decided(), HINT, TAKE)
    assert queued.state["running"]
    during = play(changed(), state=queued.state)
    assert during.answer == {"vms": []}
    assert during.state["running"][VM]["again"]["id"] == VM_ID
    after = looked({**swapped("succeeded").state, "look": None, "hints": {}}, changed(at="2026-11-06T10:00:00Z"))
    assert after.answer == {"vms": []}
    assert VM in after.state["hints"]


def test_agreement_starts_anew() -> None:
    """A VM that runs the disk of its tag again is remembered with it, unless a swap has ended since."""
    state: Json = {"seq": 1}
    row: dict[str, Any] = {
        "decision": "skip",
        "reason": "already-there",
        "os_disk": OTHER,
        "fulfilled": {**LAST, "told": OTHER},
    }
    assert looked(state, decided(**row)).state["fulfilled"][KEY] == {"disk": OTHER, "at": "2026-11-21T10:00:00Z"}
    back = looked(state, decided(**{**row, "os_disk": NEW})).state["fulfilled"][KEY]
    assert back == LAST
    newer = {**state, "fulfilled": {KEY: {"disk": OLD, "at": "2026-11-21T10:30:00Z"}}}
    assert looked(newer, decided(**row)).state["fulfilled"] == newer["fulfilled"]


def test_a_request_stays_in_the_queue() -> None:
    """A refusal of another look ends no swap that a person has requested, but one for another disk."""
    paused = play(("pause", {})).state
    asked = decided(wanted=disk_id("new"), asked=True)
    queued = looked(paused, asked).state
    kept = looked(queued, decided(decision="refuse", reason="changed-by-others", wanted=disk_id("new"), os_disk=OTHER))
    assert kept.state["queue"][VM]["asked"]
    edited = looked(queued, decided(wanted=disk_id("next"))).state
    assert "asked" not in edited["queue"][VM]
    gone = looked(queued, decided(decision="refuse", reason="disk-not-found", wanted=disk_id("new")))
    assert VM not in gone.state["queue"]


def test_a_request_that_is_delivered_again_asks_for_nothing_more() -> None:
    """Like `force`, which applies to the first delivery."""
    hint = ("hint", {"vms": [VM_ID], "asked": True, "reply_to": "run-1"})
    first = play(hint)
    assert first.state["hints"][VM]["asked"]
    taken = play(("take", {"look": "look-1"}), state=first.state)
    assert taken.answer["vms"][0]["asked"]
    assert "asked" not in play(hint, state=taken.state).state["hints"][VM]


def test_an_older_message_about_a_fulfilled_tag_changes_nothing() -> None:
    """Messages that come again or late do not replace a newer row."""
    state = VmMemory()
    for disk, at in ((OLD, AT), (NEW, LATER), (OLD, AT)):
        fulfill(state, {"vm": KEY, "row": {"disk": disk, "at": at}})
    assert state.json["vms"][KEY]["fulfilled"] == {"disk": NEW, "at": LATER}
    fulfill(state, {"vm": KEY, "row": {"disk": NEW, "at": LATER, "told": OTHER}})
    assert state.json["vms"][KEY]["fulfilled"]["told"] == OTHER
