"""The dispatcher's book and self-checks: who waits for one, for which package, and what is remembered."""

from __future__ import annotations

from typing import Any

from refresh.dispatcher.queue import admission_of
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.swap import Intent
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import Json, Played, apply

VM = VM_ID.lower()
AT = "2026-11-21T10:00:00+00:00"
LATER = "2026-11-21T10:01:00+00:00"
LAST = "2026-11-21T10:02:00+00:00"
INTENT = Intent("swap-x-1", True, disk_id("old"), disk_id("new")).to_json()
CHECKS = [{"name": "timer", "ok": True, "message": "m"}]


def decided(reason: str = "wanted", *, required: bool = True, **row: Any) -> dict[str, Any]:
    budgets = {"max_swaps": 2, **({"selfcheck": True} if required else {})}
    rows = [{"vm": VM_ID, "decision": "swap", "reason": reason, "message": "m", **row}]
    return {"decisions": rows, "budgets": budgets, "at": AT}


def passed(package: str, *, ok: bool = True, began: str = AT) -> dict[str, Any]:
    checks = [{**row, "ok": ok} for row in CHECKS]
    found = {"package": package, "bundle": "b", "ok": ok, "run": "selfcheck-1", "began": began, "checks": checks}
    return {"at": began, "verdict": found}


def looked(state: Json, data: dict[str, Any], package: str) -> Played:
    """The turn in which a look that was asked about the VM hands back the decisions of `data`."""
    hinted = apply(state, "hint", {"vms": [VM_ID], "at": AT}, package)
    look = {"look": hinted.state["look"]["id"]}
    taken = apply(hinted.state, "take", {**look, "at": AT}, package)
    return apply(taken.state, "decided", {**data, **look}, package)


def test_a_swap_waits_for_the_self_check_of_the_package_that_runs() -> None:
    """One of another package, or one that failed, does not count; the one that passes starts whoever waits."""
    waiting = looked({}, decided(), "new")
    assert (waiting.starts, dict(admission_of(DispatcherState(waiting.state)).waiting)) == ([], {VM: "selfcheck"})
    of_old = apply(waiting.state, "selfchecked", passed("old"), "new")
    failed = apply(of_old.state, "selfchecked", passed("new", ok=False, began=LATER), "new")
    assert (of_old.starts, failed.starts) == ([], [])
    assert failed.loud == ["self-check selfcheck-1 of package new failed: timer: m"]
    good = apply(failed.state, "selfchecked", passed("new", began=LAST), "new")
    assert [start[0] for start in good.starts] == ["swap_vm"]
    assert good.state["selfcheck"]["at"] == LAST


def test_a_deployment_counts_from_its_first_operation_on() -> None:
    """The book was left by another package, which had passed: the next to be admitted waits before any look is open."""
    state = apply({}, "selfchecked", passed("old"), "old").state
    started = looked(state, decided(), "old")
    assert started.starts
    later = {**state, "budgets": {"max_swaps": 2, "selfcheck": True}, "queue": {VM: {"id": VM_ID}}}
    assert apply(later, "resume", {"at": AT}, "new").starts == []
    assert apply(later, "resume", {"at": AT}, "old").starts


def test_nobody_waits_where_none_is_asked_for_and_nobody_is_left_down_for_one() -> None:
    """Without the setting swaps start; with it those that bring a VM up, or go on with what was begun, start too."""
    assert looked({}, decided(required=False), "new").starts
    assert looked({}, decided("recover"), "new").starts
    assert looked({"down": {VM: {"id": VM_ID}}}, decided(), "new").starts
    assert apply({"queue": {VM: {"id": VM_ID, "intent": INTENT}}}, "resume", {"at": AT}, "new").starts
    calmed = looked({"queue": {VM: {"id": VM_ID, "urgent": True}}, "paused": {"why": ""}}, decided(), "new")
    assert "urgent" not in calmed.state["queue"][VM]


def test_the_dispatcher_answers_a_probe_with_an_orchestration() -> None:
    """Its id is fixed by the run, so a probe that is executed twice starts the same one."""
    turns = [apply({}, "probe", {"reply_to": "selfcheck-1", "at": AT}) for _ in range(2)]
    assert [turn.starts for turn in turns] == [
        [("answer_selfcheck", "answer-selfcheck-1", {"reply_to": "selfcheck-1"})]
    ] * 2
