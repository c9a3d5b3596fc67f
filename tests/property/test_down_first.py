"""Any state of the dispatcher: no VM that is down waits while fewer than the limit are being started."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from refresh.records.swap import Intent
from tests.support.worlds.builders import GROUP, disk_id
from tests.support.worlds.dispatcher import Json, apply

AT = "2026-11-21T10:00:00+00:00"
KINDS = ("bulk", "bulk", "back", "proof", "recover", "left")
INTENT = Intent("r", True, disk_id("old"), disk_id("new")).to_json()
type Drawn = tuple[str, str | None]


def _id(number: int) -> str:
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web{number:03}"


def _row(number: int, kind: str, group: str | None) -> Json:
    row: Json = {"id": _id(number), "wanted": disk_id(f"disk-{number}"), **({"group": group} if group else {})}
    if kind == "proof":
        intent = {**INTENT, "new_disk": row["wanted"], "old_disk": disk_id(f"old-{number}")}
        return {"id": row["id"], "intent": intent, "step": "prove", "proves_since": AT}
    return {**row, **{"recover": {"urgent": True}, "back": {"back": True}}.get(kind, {})}


def _state(queued: list[Drawn], running: list[Drawn], budgets: Json, paused: bool, checked: bool | None) -> Json:
    queue = {_id(number).lower(): _row(number, *drawn) for number, drawn in enumerate(queued)}
    under_way: Json = {}
    for number, (kind, group) in enumerate(running, 100):
        row = {**_row(number, "bulk" if kind == "bulk" else "recover", group), "n": number}
        waits = {"attention": "no room", "attention_reason": "no-capacity"} if kind == "no-capacity" else {}
        under_way[_id(number).lower()] = {**row, **waits}
    down = {_id(number).lower(): {"id": _id(number)} for number, (kind, _) in enumerate(queued) if kind == "left"}
    state: Json = {"queue": queue, "running": under_way, "down": down, "budgets": budgets, "seq": 500}
    if checked is not None:
        state["selfcheck"] = {"ok": checked, "run": "r", "at": AT}
    return {**state, **({"paused": {"since": AT, "why": ""}} if paused else {})}


def _states() -> st.SearchStrategy[Json]:
    group = st.sampled_from((None, "a", "b"))
    queued = st.lists(st.tuples(st.sampled_from(KINDS), group), max_size=12)
    running = st.lists(st.tuples(st.sampled_from(("bulk", "recover", "no-capacity")), group), max_size=12)
    budgets = st.builds(
        lambda swaps, starts, asked: {"max_swaps": swaps, "max_starts": starts, "selfcheck": asked},
        st.integers(0, 6),
        st.integers(1, 6),
        st.booleans(),
    )
    return st.builds(_state, queued, running, budgets, st.booleans(), st.sampled_from((None, True, False)))


def _starts(state: Json) -> int:
    return sum(bool(row.get("urgent")) and "attention" not in row for row in state["running"].values())


@settings(max_examples=400)
@given(_states())
def test_no_vm_that_is_down_waits_while_fewer_than_the_limit_are_started(state: Json) -> None:
    """Pause, self-check, full budgets, bulk and availability sets delay no start, and the starts keep their limit."""
    after = apply(state, "recover", {"at": AT}).state
    limit = state["budgets"]["max_starts"]
    assert _starts(after) <= max(limit, _starts(state))
    if any(row.get("urgent") or vm in state["down"] for vm, row in after["queue"].items()):
        assert _starts(after) >= limit


@settings(max_examples=400)
@given(_states())
def test_a_pause_and_the_budget_hold_back_every_swap_that_would_stop_a_vm(state: Json) -> None:
    """During a pause none begins; else no more than the budget, and swaps back before the others."""
    after = apply(state, "recover", {"at": AT}).state
    begun = [vm for vm, row in after["running"].items() if vm in state["queue"] and not row.get("urgent")]
    if state.get("paused"):
        assert begun == []
    swaps = sum(not row.get("urgent") for row in after["running"].values())
    assert not begun or swaps <= state["budgets"]["max_swaps"]
    overtaken = [row for row in after["queue"].values() if row.get("back") and not row.get("group")]
    if overtaken and not state["budgets"]["selfcheck"]:
        assert all(state["queue"][vm].get("back") for vm in begun)
