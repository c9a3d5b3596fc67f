"""The size of the dispatcher's state, and which VMs leave it when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refresh.dispatcher import spills
from refresh.domain.terms.resource_id import id_hash
from tests.support.chaos.memory_simulation import MemorySimulation, vm_id
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import Json, apply

PARTS = ("ran", "proved", "unproven", "spilled", "finished", "over", "spills", "moved")
AT = "2026-11-21T10:00:00+00:00"
VERSION = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/g/images/i/versions/202611.0.0"


def intent_of(number: int) -> Json:
    """The intent of a swap of a VM that did not run, as a swap stores it."""
    health = {"computer_names": [f"web{number:05}"], "data_disks": [], "probe_answered": True}
    warnings = [{"code": "no-lock-read", "message": "m" * 120}]
    disks = {"old_disk": disk_id(f"web{number:05}-202610"), "new_disk": disk_id(f"web{number:05}-202611")}
    run = {"run": f"swap-{id_hash(vm_id(number))}-{number}", "was_running": False, "agent_spoke": False}
    more = {"version": VERSION, "unique_id": "0" * 36, "stop_mode": "deallocate", "health": health}
    return {**run, **disks, **more, "warnings": warnings}


def stored_before(vms: int, unproven: int) -> Json:
    """A state as an older version of the app stores it after a swap of each of many VMs."""
    ran = {id_hash(vm_id(n)): [id_hash(f"{n}-{k}") for k in range(3)] for n in range(vms)}
    notes = {vm_id(n).lower(): {"id": vm_id(n), "intent": intent_of(n), "at": AT} for n in range(unproven)}
    outcome = {"status": "succeeded", "reason": "verified", "message": "m" * 200, "evidence": ["e" * 150] * 12}
    disks = {"old_disk": disk_id("web00000-202610"), "new_disk": disk_id("web00000-202611"), "down_s": 61.5}
    times = {"started": AT, "ended": AT, "by_hand": [], "warnings": [], "stop_mode": "deallocate", "arm_s": 44.1}
    finished = [
        {"vm": vm_id(n), "run": f"swap-{id_hash(vm_id(n))}-{n}", **outcome, **disks, **times} for n in range(50)
    ]
    proved = {key: disks[-1] for key, disks in ran.items()}
    return {"seq": vms, "ran": ran, "proved": proved, "unproven": notes, "finished": finished}


def bytes_of(state: Json) -> int:
    return len(json.dumps({part: state[part] for part in PARTS if part in state}))


def test_the_state_of_ten_thousand_vms_becomes_small_and_nothing_is_lost() -> None:
    """Sweeps and swaps move VMs by and by; after that these parts have less than 40 kB."""
    play = MemorySimulation(stored_before(10_000, 2_000))
    play.ran = {key: tuple(disks) for key, disks in play.state["ran"].items()}
    play.proved = dict(play.state["proved"])
    play.unproven = {vm: row["intent"]["new_disk"] for vm, row in play.state["unproven"].items()}
    before = bytes_of(play.state)
    rounds = 0
    while len(play.state["ran"]) > spills.KEEP_VMS or play.state.get("spilled"):
        play.sweep()
        play.drain()
        rounds += 1
        assert rounds < 120
    for number in range(40):
        play.swap(number, "proved" if number % 2 else "stopped")
    play.drain()
    for _ in range(3):
        play.sweep()
        play.drain()
    play.check()
    play.check_notes()
    assert (before > 2_000_000, bytes_of(play.state) < 40_000) == (True, True), (before, bytes_of(play.state))
    assert [len(play.state[part]) for part in ("finished", "ran", "unproven")] == [30, 20, 10]
    assert max(len(json.dumps(memory)) for memory in play.memories.values()) < 60_000


def test_one_operation_moves_a_hundred_vms_at_most() -> None:
    """In a few messages, each for the VMs of one key."""
    played = apply(stored_before(10_000, 500), "recover", {"at": AT})
    sent = [signal for signal in played.signals if signal.entity == "vm_memory"]
    vms = [vm for signal in sent for vm in signal.data["vms"]]
    assert 0 < len(vms) <= spills.VMS_PER_OPERATION
    assert 0 < len(sent) <= spills.SIGNALS_PER_OPERATION
    assert all(vm.startswith(signal.key) for signal in sent for vm in signal.data["vms"])
    assert played.state["ran"].keys() == stored_before(10_000, 0)["ran"].keys()


def small(vms: int) -> Json:
    return {"ran": {id_hash(vm_id(n)): [id_hash(f"{n}")] for n in range(vms)}}


def sent_about(played: Any) -> dict[str, int]:
    """The VMs that were moved, with the number of the message."""
    return {vm: one.data["n"] for one in played.signals if one.entity == "vm_memory" for vm in one.data.get("vms", ())}


def test_a_state_within_its_limits_sends_nothing() -> None:
    """Of 100 VMs none is moved, of 101 the oldest one."""
    assert sent_about(apply(small(spills.KEEP_VMS), "recover", {"at": AT})) == {}
    assert list(sent_about(apply(small(spills.KEEP_VMS + 1), "recover", {"at": AT}))) == [id_hash(vm_id(0))]


@pytest.mark.parametrize(
    ("answered", "later", "leaves"),
    [(True, "11:00", True), (True, "10:02", False), (False, "10:20", False)],
    ids=["answered", "answered just now", "not answered"],
)
def test_a_vm_leaves_only_after_the_answer_and_some_minutes(answered: bool, later: str, leaves: bool) -> None:
    """An entity that an older version of the app does not have answers nothing, so nothing leaves."""
    first, vm = apply(small(101), "recover", {"at": AT}), id_hash(vm_id(0))
    state = first.state
    if answered:
        state = apply(state, "kept", {"n": sent_about(first)[vm], "vms": [vm], "at": AT}).state
    state = apply(state, "recover", {"at": "2026-11-21T10:01:00+00:00"}).state
    state = apply(state, "recover", {"at": f"2026-11-21T{later}:00+00:00"}).state
    assert (vm not in state["ran"]) is leaves


def test_an_answer_about_older_contents_or_of_another_message_does_not_count() -> None:
    """The VM ran another disk meanwhile: it stays in the state, and is the newest now."""
    first, vm = apply(small(101), "recover", {"at": AT}), id_hash(vm_id(0))
    n = sent_about(first)[vm]
    other = apply(first.state, "kept", {"n": n + 1, "vms": [vm], "at": AT}).state
    assert not other["spilled"][vm].get("kept")
    changed = {**first.state, "ran": {**first.state["ran"], vm: ["other"]}}
    after = apply(changed, "kept", {"n": n, "vms": [vm], "at": AT})
    assert after.state["ran"][vm] == ["other"]
    assert sent_about(after)[vm] > n


def test_a_message_without_an_answer_is_sent_again() -> None:
    """After half an hour, under another number."""
    first, vm = apply(small(101), "recover", {"at": AT}), id_hash(vm_id(0))
    again = apply(first.state, "recover", {"at": "2026-11-21T10:40:00+00:00"})
    assert sent_about(again)[vm] > sent_about(first)[vm]


def test_a_note_from_the_memory_counts_unless_a_swap_of_the_vm_has_ended_since() -> None:
    """The look's decision brings it: the proof is queued, but not after an outcome that the look may not have read."""
    note = {"id": VM_ID, "intent": {**intent_of(1), "new_disk": disk_id("b")}, "at": AT}
    row = {"vm": VM_ID, "decision": "skip", "reason": "already-there", "message": "m", "up": True, "current": "b"}
    look = {"id": "look-1", "taken": {VM_ID.lower(): {"id": VM_ID, "batch": 1}}}
    data = {"look": "look-1", "decisions": [{**row, "unproven": note}], "at": AT}
    paused: Json = {"seq": 1, "look": look, "paused": {"since": AT}}
    queued = apply(paused, "decided", data)
    assert queued.state["queue"][VM_ID.lower()]["step"] == "prove"
    ended = {"vm": VM_ID, "run": "r", "status": "succeeded", "reason": "verified", "ended": "2026-11-21T10:01:00+00:00"}
    assert apply({**paused, "finished": [ended]}, "decided", data).state["queue"] == {}
    assert apply({**paused, "finished": [{**ended, "ended": AT}]}, "decided", data).state["queue"]
    gone = apply(
        {**paused, "moved": True}, "decided", {**data, "decisions": [{**row, "current": "c", "unproven": note}]}
    )
    assert [(one.entity, str(one.operation)) for one in gone.signals] == [("vm_memory", "settle")]
    assert gone.state["queue"] == {}


def test_a_way_back_that_the_memory_shows_is_admitted_as_one() -> None:
    """The look's decision says that the VM ran the wanted disk before."""
    row = {"vm": VM_ID, "decision": "swap", "reason": "wanted", "message": "m", "wanted": disk_id("a"), "back": True}
    look = {"id": "look-1", "taken": {VM_ID.lower(): {"id": VM_ID, "batch": 1}}}
    data = {"look": "look-1", "decisions": [row], "at": AT}
    state = apply({"seq": 1, "look": look, "paused": {"since": AT}}, "decided", data).state
    assert state["queue"][VM_ID.lower()]["back"] is True


def test_a_whole_outcome_goes_to_past_outcomes_and_the_state_keeps_what_lists_show() -> None:
    """Rows of an older version lose their evidence as well; the run counts as over after 30 others have ended."""
    key, stored = VM_ID.lower(), stored_before(1, 0)
    play: Json = {**stored, "seq": 60, "running": {key: {"id": VM_ID, "n": 60}}}
    outcome = {**stored["finished"][0], "vm": VM_ID, "run": f"swap-{id_hash(VM_ID)}-60"}
    ended = apply(play, "finished", {"vm": VM_ID, "n": 60, "outcome": outcome, "at": AT})
    (sent,) = [one for one in ended.signals if one.entity == "past_outcomes"]
    assert (sent.key, str(sent.operation), sent.data) == (id_hash(VM_ID)[:2], "keep", {"outcome": outcome})
    assert len(ended.state["finished"]) == 30
    assert not any({"evidence", "by_hand", "warnings"} & row.keys() for row in ended.state["finished"])
    assert {len(row["message"]) for row in ended.state["finished"]} == {160}
    state = {**ended.state, "finished": [], "look": {"id": "look-1", "taken": {}}, "hints": {key: {"id": VM_ID}}}
    (row,) = apply(state, "take", {"look": "look-1", "at": AT}).answer["vms"]
    assert row["over"] == [outcome["run"]]


@pytest.mark.parametrize(("n", "ended"), [(2, True), (60, True), (61, None)])
def test_a_claim_of_a_number_that_was_used_is_answered_as_ended(n: int, ended: bool | None) -> None:
    """So that a late second start asks for its outcome; any other answer is as before."""
    answer = apply({"seq": 60}, "claim", {"vm": VM_ID, "n": n}).answer
    assert (answer["answer"], answer.get("ended")) == ("not-yours", ended)
