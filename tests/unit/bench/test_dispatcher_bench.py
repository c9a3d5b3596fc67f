"""The benchmark of the dispatcher measures both versions of the app in the same way; no test depends on a time."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from durabletask.entities import EntityContext, EntityInstanceId
from durabletask.task import OrchestrationContext
from rich.console import Console

from bench.app_trees import BASELINE, extract_commit
from bench.comparison import Compared, Figure, compare, comparison_table
from bench.dispatcher import main
from bench.entities import Entities
from bench.orchestrations import Orchestrations

SMALL = ["--vms", "60", "--events", "120", "--repeats", "2", "--storm", "30"]
OPERATIONS = ("hint, a new VM", "hint, a VM that is there", "take", "decided", "claim", "step", "finished")
SIZES = ("dispatcher", "largest entity", "all", "entities")
STORM = (
    "edit at the start: its swap begins",
    "edit at the start: its swap has its claim",
    "edit in the middle: its swap begins",
    "edit in the middle: its swap has its claim",
    "edit at the end: its swap begins",
    "edit at the end: its swap has its claim",
    "VM that is down: its start begins",
    "longest wait of a swap for its claim",
    "longest wait of a swap for any answer",
    "last event is accepted",
    "every VM has been looked at",
)


def measured(part: str, folder: Path, *options: str) -> list[dict[str, Any]]:
    """The rows of one part of the benchmark with a small fleet."""
    file = folder / "figures.json"
    main([*SMALL, "--part", part, "--json", str(file), *options])
    return list(json.loads(file.read_text()))


def rows_of(rows: list[dict[str, Any]], part: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in rows if row["part"] == part}


def test_state_and_operations_of_both_versions_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each state and operation has a row before and after; in a clone without the baseline only after."""
    rows = measured("state", tmp_path)
    printed = capsys.readouterr().out
    has_baseline = extract_commit(BASELINE, tmp_path / "baseline")
    assert ("The baseline is missing" in printed) is not has_baseline
    sizes, operations = rows_of(rows, "stored state"), rows_of(rows, "CPU time of an operation")
    for state in ("quiet", "hinted", "queued"):
        assert {f"{name}, {state}" for name in (*SIZES, "inbox")} <= sizes.keys()
        assert {f"{name}, {state}" for name in OPERATIONS} <= operations.keys()
    assert sizes["all, queued"]["after"] > sizes["all, quiet"]["after"]
    events = rows_of(rows, "CPU time of events")
    assert events["operations of entities, one by one"]["after"] >= 120
    assert events["operations of entities, 20 together"]["after"] < 120
    # Today's code may have more operations than the baseline, or fewer.
    names = {f"{name}, {state}" for name in SIZES for state in ("quiet", "hinted", "queued")}
    both = [row for row in rows if row["name"] in {*names, *(f"{name}, queued" for name in OPERATIONS)}]
    each = rows_of(rows, "CPU time of an operation of one entity")
    assert {"dispatcher take, queued", "inbox hint, queued", "past_outcomes keep, queued"} <= each.keys()
    for row in both:
        assert row["after"] > 0, row
        assert (row["before"] is not None) is has_baseline, row
        assert row["name"] in printed


def test_a_storm_is_printed_without_the_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shallow clone does not have the older commit: the figures of today's code are printed alone."""
    # So many events are a list of their subscription.
    rows = measured("storm", tmp_path, "--baseline", "0" * 40, "--storm", "90")
    printed = capsys.readouterr().out
    assert "The baseline is missing: this clone does not have commit 000" in printed
    storm = rows_of(rows, "storm of 90 events, simulated")
    assert tuple(storm) == STORM
    for row in storm.values():
        assert row["after"] >= 0, row
        assert (row["before"], row["ratio"]) == (None, None)
        assert row["name"] in printed


def test_a_figure_that_one_version_lacks_has_no_ratio() -> None:
    """Rows come in the order of the newer version, with what only the older one has behind them."""
    before = [Figure("state", "old", "kB", 4.0), Figure("state", "both", "kB", 3.0), Figure("calls", "n", "", 2.0)]
    after = [Figure("state", "both", "kB", 2.0), Figure("state", "new", "kB", 1.0), Figure("calls", "n", "", 1.0)]
    rows = compare(before, after)
    assert rows == [
        Compared("state", "both", "kB", 3.0, 2.0),
        Compared("state", "new", "kB", None, 1.0),
        Compared("state", "old", "kB", 4.0, None),
        Compared("calls", "n", "", 2.0, 1.0),
    ]
    assert [row.ratio for row in rows] == [1.5, None, None, None]
    out = io.StringIO()
    Console(file=out, width=100).print(comparison_table(rows, "title"))
    assert "1.50" in out.getvalue()


def counter(ctx: EntityContext, data: Any = None) -> Any:
    """Counts, signals the entity `sum`, and starts an orchestration at three."""
    count = ctx.get_state(int, 0) + 1
    ctx.set_state(count)
    ctx.signal_entity(EntityInstanceId("sum", "all"), "add", {"by": data})
    if count == 3:
        ctx.schedule_new_orchestration("ask", {"of": "a"}, instance_id="ask-1")
    return count


def total(ctx: EntityContext, data: Any = None) -> Any:
    """Adds."""
    ctx.set_state({"sum": ctx.get_state(None, {"sum": 0})["sum"] + data["by"]})


def ask(ctx: OrchestrationContext, data: Any) -> Any:
    """Calls an activity and the counter."""
    number = yield ctx.call_activity("number", input=data)
    count = yield ctx.call_entity(EntityInstanceId("counter", "a"), "count", number)
    return count


@pytest.mark.parametrize("measure_every", [0, 1, 2])
def test_measured_operations_and_others_do_the_same(measure_every: int) -> None:
    """A measurement does not change what is stored, signalled, started and answered."""
    entities = Entities({"counter": counter, "sum": total}, measure_every)
    runs = Orchestrations({"ask": ask}, entities, lambda name, data: 40)
    for by in (1, 2, 3):
        runs.call(EntityInstanceId("counter", "a"), "count", by)
    assert [start.instance_id for start in entities.starts] == ["ask-1"]
    runs.held = frozenset(["number"])
    runs.run_started()
    assert runs.waiting("number") == 1
    assert entities.value_of("@counter@a") == 3
    runs.release("number")
    assert entities.value_of("@counter@a") == 4
    assert entities.value_of("@sum@all") == {"sum": 46}
    assert entities.sizes() == {"@counter@a": 1, "@sum@all": len('{"sum": 46}')}
    costs = entities.take_costs()
    expected = {0: 0, 1: 4, 2: 2}[measure_every]
    assert {key: (cost.calls, cost.measured) for key, cost in costs.items()} == {
        ("counter", "count"): (4, expected),
        ("sum", "add"): (4, expected),
    }
    assert (len(runs.calls_ms["count"]) > 0) is (measure_every > 0)
