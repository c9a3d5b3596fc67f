"""Self-checks in the dispatcher: which swaps wait for one, of which package, and which result is kept."""

from __future__ import annotations

from typing import Any

import pytest

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
    """The effects of a look at the VM with the decisions of `data`."""
    hinted = apply(state, "hint", {"vms": [VM_ID], "at": AT}, package)
    look = {"look": hinted.state["look"]["id"]}
    taken = apply(hinted.state, "take", {**look, "at": AT}, package)
    return apply(taken.state, "decided", {**data, **look}, package)


def test_a_swap_waits_for_the_self_check_of_the_package_that_runs() -> None:
    """A self-check of another package, or a failed one, does not count; one that passes starts the swaps that wait."""
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
    """A state of another package, which had passed, admits no swap from the first operation on."""
    state = apply({}, "selfchecked", passed("old"), "old").state
    started = looked(state, decided(), "old")
    assert started.starts
    later = {**state, "budgets": {"max_swaps": 2, "selfcheck": True}, "queue": {VM: {"id": VM_ID}}}
    assert apply(later, "resume", {"at": AT}, "new").starts == []
    assert apply(later, "resume", {"at": AT}, "old").starts


def test_no_swap_waits_without_the_setting_and_no_vm_stays_down_for_a_self_check() -> None:
    """Without the setting swaps start; with it only those start that bring a VM up or continue a swap."""
    assert looked({}, decided(required=False), "new").starts
    assert looked({}, decided("recover"), "new").starts
    assert looked({"down": {VM: {"id": VM_ID}}}, decided(), "new").starts
    assert apply({"queue": {VM: {"id": VM_ID, "intent": INTENT}}}, "resume", {"at": AT}, "new").starts
    calmed = looked({"queue": {VM: {"id": VM_ID, "urgent": True}}, "paused": {"why": ""}}, decided(), "new")
    assert "urgent" not in calmed.state["queue"][VM]


def test_the_dispatcher_answers_a_probe_with_an_orchestration() -> None:
    """Its id follows from the run, so a probe that is executed twice starts the same orchestration."""
    both = [apply({}, "probe", {"reply_to": "selfcheck-1", "at": AT}) for _ in range(2)]
    assert [played.starts for played in both] == [
        [("answer_selfcheck", "answer-selfcheck-1", {"reply_to": "selfcheck-1"})]
    ] * 2


@pytest.mark.parametrize("missing", ["checks", "run", "package"])
def test_a_result_without_its_parts_does_not_replace_the_last(missing: str) -> None:
    """It is kept as an operation that could not be read."""
    before = apply({}, "selfchecked", passed("new"), "new").state
    data = passed("new", began=LATER)
    del data["verdict"][missing]
    played = apply(before, "selfchecked", data, "new")
    assert played.state["selfcheck"] == before["selfcheck"]
    assert [bad["operation"] for bad in played.state["bad"]] == ["selfchecked"]
