"""The dispatcher's state as typed rows: what is stored, what is read, and what a change leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refresh.dispatcher.operations import apply
from refresh.records.dispatcher_state import DispatcherState, QueueRow, RunningRow
from refresh.records.hint_rows import HintRow, OpenLook, TakenRow
from refresh.records.record import BadRecord

GROUP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/"
A, B, C = (GROUP + name for name in "ABC")
AT = "2026-11-21T10:00:00+00:00"
INTENT = {"run": "swap-a-3", "was_running": True, "old_disk": "/d/old", "new_disk": "/d/new"}
DECIDED_A = {"vm": A, "decision": "swap", "reason": "wanted", "message": "m", "wanted": "/d/new", "group": "set"}
DECIDED_B = {"vm": B, "decision": "skip", "reason": "already-there", "message": "m", "up": True, "current": "x"}
DECIDED_C = {"vm": C, "decision": "swap", "reason": "wanted", "message": "m", "wanted": "/d/c"}
VERDICT = {"package": "p", "bundle": "b", "ok": True, "run": "selfcheck-1", "began": "t", "checks": []}
OUTCOME = {"vm": C, "run": "swap-c-3", "status": "not-proven", "reason": "was-not-running", "message": "m"}
OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("hint", {"vms": [A, B], "source": "event", "force": True, "reply_to": "swaps-1"}),
    ("pause", {"id": "p", "why": "w"}),
    ("take", {"look": "look-1"}),
    ("hint", {"vms": [C], "source": "sweep"}),
    (
        "decided",
        {
            "look": "look-1",
            "batch": 1,
            "budgets": {"max_swaps": 2, "selfcheck": True},
            "decisions": [{**DECIDED_A, "force": True, "reply_to": ["swaps-1"]}, DECIDED_B],
        },
    ),
    ("selfchecked", {"verdict": VERDICT}),
    ("resume", {"id": "r"}),
    ("claim", {"vm": A, "n": 2}),
    ("step", {"vm": A, "n": 2, "step": "notice"}),
    ("step", {"vm": A, "n": 2, "step": "intent", "intent": INTENT, "tags": {"t": "v"}}),
    ("step", {"vm": A, "n": 2, "step": "start", "attention": "no room", "attention_reason": "no-capacity"}),
    ("reject", {"vm": A, "n": 2, "disk": "/d/new", "version": "/V/1"}),
    ("take", {"look": "look-1"}),
    ("decided", {"look": "look-1", "batch": 2, "decisions": [DECIDED_C]}),
    ("hint", {"vms": [A], "source": "sweep"}),
    ("recover", {"gone": [{"vm": A.lower(), "n": 2}]}),
    ("finished", {"vm": C, "n": 3, "outcome": {**OUTCOME, "new_disk": "/d/c"}}),
    ("nonsense", {}),
]
# What version 0.1.0 of the app stores after these operations; VM ids and times are abbreviated.
STORED = (
    '{"package": "p", "events": {"seen": "T00Z", "since": "T03Z", "sweeps": ["T03Z"], "vms": ["VM:C"]}, '
    '"forced": ["833103f6192d"], "hints": {"vm:c": {"id": "VM:C"}}, "seq": 3, "look": {"id": "look-1", '
    '"since": "T12Z", "batch": 2, "taken": {}}, "switch": {"at": "T06Z", "ids": ["p", "r"]}, '
    '"budgets": {"max_swaps": 2, "selfcheck": true}, "queue": {}, "said": {"2666108dfd73": "1d4cf4b5", '
    '"f2463be74428": "d28a9cd2", "810f22b2afdf": "23c24dc0"}, "running": {"vm:a": {"id": "VM:A", "force": true, '
    '"reply_to": ["swaps-1"], "group": "set", "wanted": "/d/new", "n": 2, "since": "T10Z", "claimed": true, '
    '"step": "start", "step_n": 2, "step_at": "T10Z", "intent": {"run": "swap-a-3", "was_running": true, '
    '"old_disk": "/d/old", "new_disk": "/d/new", "agent_spoke": false, "stop_mode": "deallocate", '
    '"warnings": []}, "attention": "no room", "attention_reason": "no-capacity", "again": {"id": "VM:A", '
    '"swept": "T14Z"}, "missing": 1}}, "selfcheck": {"package": "p", "bundle": "b", "ok": true, '
    '"run": "selfcheck-1", "began": "t", "checks": [], "at": "T05Z"}, "ran": {"2666108dfd73": ["c657f0cd77a4"], '
    '"810f22b2afdf": ["3e16775291bf"]}, "rejected": [{"vm": "vm:a", "names": ["/d/new", "/v/1"], "at": "T11Z"}], '
    '"swept": "T15Z", "finished": [{"vm": "VM:C", "run": "swap-c-3", "status": "not-proven", '
    '"reason": "was-not-running", "message": "m", "new_disk": "/d/c"}], '
    '"over": ["swap-c-3"], "unproven": {}, "bad": [{"operation": "nonsense", '
    '"why": "ValueError: there is no such operation"}]}'
)


def play(stored: dict[str, Any] | None = None) -> dict[str, Any]:
    for minute, (operation, data) in enumerate(OPERATIONS):
        at = f"2026-11-21T10:{minute:02}:00+00:00"
        stored = apply(DispatcherState(stored), operation, {"at": at, **data}, "p").state.json
    return stored or {}


def test_the_stored_json_is_what_version_0_1_0_stores() -> None:
    """The JSON is the same byte for byte, so another version can continue with the state."""
    text = json.dumps(play()).replace(GROUP, "VM:").replace(GROUP.lower(), "vm:")
    assert text.replace("2026-11-21T10:", "T").replace(":00+00:00", "Z") == STORED


def test_keys_of_a_newer_version_survive() -> None:
    """In the state, in a row that is changed, and in a row that moves from the hints to the look."""
    row = {"id": A, "n": 2, "since": None, "later": 1}
    stored = {"later": {"x": 1}, "running": {A.lower(): row}, "hints": {B.lower(): {"id": B, "later": 2}}, "seq": 2}
    state = DispatcherState(stored)
    for operation, data in (("claim", {"vm": A, "n": 2}), ("hint", {"vms": [C]}), ("take", {"look": "look-3"})):
        state = apply(state, operation, data).state
    assert state.json["later"] == {"x": 1}
    assert state.json["running"][A.lower()] == {**row, "claimed": True}
    assert state.json["look"]["taken"][B.lower()] == {"id": B, "later": 2, "batch": 1}


@pytest.mark.parametrize(
    ("state", "operation", "data"),
    [
        ({"hints": {A.lower(): {"id": A, "later": 1}}, "queue": {A.lower(): {"id": A}}}, "resume", {}),
        (
            {"hints": {A.lower(): {"id": A, "later": 1}}, "look": {"id": "look-1", "taken": {A.lower(): {"id": A}}}},
            "take",
            {"look": "look-1"},
        ),
        (
            {
                "hints": {A.lower(): {"id": A}},
                "look": {"id": "l", "since": AT, "taken": {A.lower(): {"id": A, "later": 1}}},
            },
            "recover",
            {"look": "l"},
        ),
    ],
    ids=["admission", "a second batch", "a look that is gone"],
)
def test_hints_with_keys_of_a_newer_version_are_merged(
    state: dict[str, Any], operation: str, data: dict[str, Any]
) -> None:
    """Two rows about one VM become one, and the operation counts: a newer version may have stored them."""
    effects = apply(DispatcherState(state), operation, {"at": "2026-11-21T12:00:00+00:00", **data})
    assert "bad" not in effects.state.json
    assert [start[0] for start in effects.starts] == (
        [] if operation == "take" else ["look" if operation == "recover" else "swap_vm"]
    )


def test_a_queued_vm_without_a_time_waits_from_its_next_decision_on() -> None:
    """The key may be absent in a row that another version stored."""
    look = {"id": "look-1", "taken": {A.lower(): {"id": A}}}
    state = DispatcherState({"look": look, "queue": {A.lower(): {"id": A}}, "paused": {"since": AT}})
    state = apply(state, "decided", {"at": AT, "look": "look-1", "decisions": [DECIDED_A]}).state
    assert state.queue[A.lower()].since == AT


def test_a_change_leaves_the_json_that_was_given_alone() -> None:
    """An operation that raises returns to it, and the copy is not deep."""
    stored = {"hints": {"a": {"id": "a"}}, "look": {"id": "l", "taken": {"a": {"id": "a"}}}, "queue": {}}
    before = json.dumps(stored)
    state = DispatcherState(stored)
    state.hints["a"] = state.hints["a"].replace(force=True)
    state.queue["b"] = QueueRow(id="b", since=None)
    del state.hints["a"]
    assert state.look is not None
    state.look = state.look.replace(taken={})
    state.seq += 1
    assert json.dumps(stored) == before
    changed = {"hints": {}, "look": {"id": "l", "taken": {}}, "queue": {"b": {"id": "b", "since": None}}, "seq": 1}
    assert state.json == changed


def test_an_empty_state_reads_as_nothing() -> None:
    """Before the first operation every table is empty, every row None, and reading stores nothing."""
    state = DispatcherState(None)
    assert (len(state.hints), state.queue.get("a"), "a" in state.running) == (0, None, False)
    assert (state.look, state.paused, state.selfcheck, state.seq, state.finished) == (None, None, None, 0, ())
    assert state.json == {}


def test_a_row_reads_its_fields_and_their_defaults() -> None:
    """An absent key is its default, an object a row, a list a tuple; a change makes a new row."""
    row = RunningRow.from_json({"id": "a", "n": 3, "reply_to": ["r"], "again": {"id": "a"}})
    assert (row.n, row.reply_to, row.again, row.step, row.missing) == (3, ("r",), HintRow(id="a"), None, 0)
    assert row.replace(step="stop").step == "stop"
    assert row.step is None
    assert row.only("id", "group").json == {"id": "a"}
    look = OpenLook(id="l", taken={"a": TakenRow(id="a", batch=2)})
    assert look.json == {"id": "l", "taken": {"a": {"id": "a", "batch": 2}}}
    assert look.taken["a"].batch == 2


def test_a_row_refuses_what_it_does_not_declare() -> None:
    """A misspelled field, an assignment, and a field that must be there and is not."""
    row = HintRow(id="a")
    with pytest.raises(TypeError, match="fource"):
        row.replace(fource=True)
    with pytest.raises(AttributeError, match="replace"):
        row.id = "b"  # type: ignore[misc]
    with pytest.raises(BadRecord, match=r"RunningRow\.n is missing"):
        _ = RunningRow.from_json({"id": "a"}).n
