"""The dispatcher state for any sequence of operations: executed twice, delivered twice, with crashes in between."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from refresh.records.dispatcher_state import DispatcherState, OutcomeRow
from refresh.records.rows import Row
from refresh.records.swap import Intent, Outcome, OutcomeStatus
from tests.support.worlds.builders import GROUP, disk_id
from tests.support.worlds.dispatcher import Json, Played, apply

VMS = tuple(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web0{number}" for number in (1, 2, 3))
STATUSES = ("succeeded", "not-proven", "rolled-back", "needs-attention", "refused", "skipped")
REASONS = ("verified", "was-not-running", "was-not-running", "vm-gone")
Operation = tuple[str, Json]


def _at(minute: int) -> str:
    return f"2026-11-21T{10 + minute // 60:02}:{minute % 60:02}:00+00:00"


def _decision(vm: str, decision: str, group: str | None, disk: str, power: bool) -> Json:
    row: Json = {"vm": vm, "decision": decision, "reason": "wanted", "message": "m", "wanted": disk_id(disk)}
    return {**row, **({"group": group} if group else {}), **({"up": True, "current": disk} if power else {})}


def _outcome(vm: str, n: int, status: str, reason: str) -> Json:
    return {
        "vm": vm,
        "n": n,
        "outcome": Outcome(vm, f"swap-x-{n}", OutcomeStatus(status), reason, "m", ended=_at(1)).to_json(),
    }


def _operations() -> st.SearchStrategy[list[Operation]]:
    vm, n, look = st.sampled_from(VMS), st.integers(1, 9), st.integers(1, 9).map(lambda n: {"look": f"look-{n}"})
    rows = st.lists(
        st.builds(
            _decision,
            vm,
            st.sampled_from(("swap", "swap", "skip", "refuse")),
            st.sampled_from((None, "set")),
            st.sampled_from(("a", "b", "c")),
            st.booleans(),
        ),
        max_size=3,
    )
    gone = st.lists(st.builds(lambda vm, n: {"vm": vm.lower(), "n": n}, vm, n), max_size=3)
    intents = st.builds(lambda vm, ran: Intent("r", ran, disk_id(f"old-{vm[-1]}"), disk_id("a")), vm, st.booleans())
    names = st.sampled_from(("intent", "stop", "health", "undo", "undo-stop"))
    one: st.SearchStrategy[Operation] = st.one_of(
        st.tuples(st.just("hint"), st.builds(lambda vm, force: {"vms": [vm], "force": force}, vm, st.booleans())),
        st.tuples(st.just("take"), look),
        st.tuples(st.just("decided"), st.builds(lambda rows, look: {**look, "decisions": rows}, rows, look)),
        st.tuples(st.just("claim"), st.builds(lambda vm, n: {"vm": vm, "n": n}, vm, n)),
        st.tuples(
            st.just("step"),
            st.builds(
                lambda vm, n, name, i: {"vm": vm, "n": n, "step": name, "intent": i.to_json()}, vm, n, names, intents
            ),
        ),
        st.tuples(st.just("finished"), st.builds(_outcome, vm, n, st.sampled_from(STATUSES), st.sampled_from(REASONS))),
        st.tuples(st.just("reject"), st.builds(lambda vm, n: {"vm": vm, "n": n, "disk": disk_id("a")}, vm, n)),
        st.tuples(st.just("recover"), st.builds(lambda gone: {"gone": gone}, gone)),
        st.tuples(st.sampled_from(("pause", "resume")), st.just({})),
    )
    return st.builds(
        lambda before, after: [*before, *after], st.sampled_from(_beginnings()), st.lists(one, max_size=40)
    )


def _beginnings() -> list[list[Operation]]:
    """No operation; a whole swap of a stopped VM; the same swap and a look that finds the VM running."""
    vm, look = VMS[0], {"look": "look-1"}
    intent = Intent("r", False, disk_id("old-1"), disk_id("a")).to_json()
    swapped: list[Operation] = [
        ("hint", {"vms": [vm]}),
        ("take", look),
        ("decided", {**look, "decisions": [_decision(vm, "swap", None, "a", False)]}),
        ("claim", {"vm": vm, "n": 2}),
        ("step", {"vm": vm, "n": 2, "step": "new-disk", "intent": intent}),
        ("finished", _outcome(vm, 2, "not-proven", "was-not-running")),
    ]
    seen = {"decisions": [{**_decision(vm, "skip", None, "a", True), "reason": "already-there"}]}
    return [[], swapped, [*swapped, ("decided", seen)]]


@settings(max_examples=100)
@given(_operations())
def test_every_stored_row_reads_and_is_stored_as_it_was(operations: list[Operation]) -> None:
    """No operation stores a key that its row does not declare, or changes the state that it was given."""
    stored: Json = {}
    for number, (name, data) in enumerate(operations):
        before = json.dumps(stored)
        after = apply(stored, name, {**data, "at": _at(7 * number)}).state
        assert json.dumps(stored) == before
        stored = after
    state = DispatcherState(stored)
    tables: list[Iterable[Row]] = [state.hints.values(), state.queue.values(), state.running.values()]
    tables += [state.down.values(), state.unproven.values(), state.rejected, state.finished]
    looks = [] if state.look is None else [state.look, *state.look.taken.values()]
    for row in (*looks, *(row for table in tables for row in table)):
        if not isinstance(row, OutcomeRow):
            assert row.replace(**{name: getattr(row, name) for name in row.json}).json == row.json


def _run(state: Json, operations: list[Operation], first: int) -> tuple[Json, list[Played]]:
    turns = []
    for number, (name, data) in enumerate(operations):
        turns.append(apply(state, name, {**data, "at": _at(7 * (first + number))}))
        state = turns[-1].state
    return state, turns


def _starts(turns: list[Played]) -> list[Any]:
    return [start for turn in turns for start in turn.starts]


@settings(max_examples=300)
@given(_operations(), st.lists(st.integers(1, 6), max_size=12), st.lists(st.booleans(), max_size=12))
def test_lost_and_repeated_batches_end_in_the_same_state(
    operations: list[Operation], sizes: list[int], lost: list[bool]
) -> None:
    """A batch whose actions are sent and whose state is lost gives the same state when it runs again with more."""
    once, turns = _run({}, operations, 0)
    state: Json = {}
    sent: list[Any] = []
    done = 0
    for size, dies in zip(sizes, lost, strict=False):
        batch = operations[done : done + size]
        after, result = _run(state, batch, done)
        sent += _starts(result)
        if not dies:
            state, done = after, done + len(batch)
    state, result = _run(state, operations[done:], done)
    sent += _starts(result)
    assert state == once
    assert {start[1] for start in sent} == {start[1] for start in _starts(turns)}


@settings(max_examples=300)
@given(_operations(), st.sets(st.integers(0, 39)))
def test_a_vm_has_one_claim_and_an_ended_claim_is_never_valid_again(
    operations: list[Operation], twice: set[int]
) -> None:
    """With repeated operations a VM has at most one open claim, no claim after its end, and no number is reused."""
    delivered = [
        each for number, each in enumerate(operations) for each in [operations[number]] * (1 + (number in twice))
    ]
    state: Json = {}
    over: set[tuple[str, int]] = set()
    numbers: set[str] = set()
    for number, (name, data) in enumerate(delivered):
        before = state.get("running", {})
        turn = apply(state, name, {**data, "at": _at(7 * number)})
        state = turn.state
        running: Json = state.get("running", {})
        over |= {(vm, row["n"]) for vm, row in before.items() if running.get(vm, {}).get("n") != row["n"]}
        for _, instance_id, _ in turn.starts:
            assert instance_id not in numbers
            numbers.add(instance_id)
        for vm in map(str.lower, VMS):
            yours = [n for n in range(1, 60) if _claimed(state, vm, n)]
            assert yours == ([running[vm]["n"]] if vm in running else [])
            assert not any((vm, n) in over for n in yours)
        assert not set(running) & set(state.get("queue", {}))
        # A row that proves a disk has the intent of the swap that attached it, and the time.
        proofs = [row for row in (*running.values(), *state.get("queue", {}).values()) if row.get("proves_since")]
        assert all(row["intent"]["new_disk"] and row["intent"]["was_running"] for row in proofs)
        # The start of a VM that is down stops nothing, so it does not wait for another VM of its set.
        groups = [row["group"] for row in running.values() if row.get("group") and not row.get("urgent")]
        assert len(groups) == len(set(groups))
        assert all(key != "bad" for key in state), state["bad"]


def _claimed(state: Json, vm: str, n: int) -> bool:
    answer: str = apply(state, "claim", {"vm": vm, "n": n}).answer["answer"]
    return answer == "yours"


@settings(max_examples=300)
@given(_operations(), st.sampled_from(VMS))
def test_no_hint_is_lost(operations: list[Operation], vm: str) -> None:
    """After a hint its VM is among the hints, in the open look, or marked for another look after its swap."""
    state, _ = _run({}, operations, 0)
    state = apply(state, "hint", {"vms": [vm], "at": _at(900)}).state
    key = vm.lower()
    looking = {**state.get("hints", {}), **(state.get("look") or {}).get("taken", {})}
    assert key in looking or state.get("running", {}).get(key, {}).get("again")
    if key in state.get("hints", {}):
        assert state.get("look"), "no look is under way"
