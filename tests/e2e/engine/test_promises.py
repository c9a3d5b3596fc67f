"""What decides whether the app works at all, on Microsoft's own Durable engine with storage as strict as Azure's.

One scenario runs in real time (`tests/support/worlds/engine_day.py`); each test checks one part of its record.
"""

from __future__ import annotations

from typing import Any

import pytest

from refresh import package
from simulator.clock import Clock, run
from tests.support.infra.external_tools import need_engine
from tests.support.worlds import engine_day as days
from tests.support.worlds.engine_day import BULK, CRASHES, DEAD, EDITED, FAILS, SWEPT, TAGGED, TORN, Day
from tests.support.worlds.engine_world import name_of, vm_id


@pytest.fixture(scope="module")
def day() -> Day:
    """The day, lived once."""
    need_engine()
    return run(days.run_day, Clock("real"))


def told(day: Day, name: str) -> dict[str, Any]:
    """The one row that says what became of a VM."""
    (row,) = day.rows[name]
    return row


def disk(day: Day, name: str) -> str:
    """The disk that ARM shows the VM on."""
    return str(day.vms[name]["properties"]["storageProfile"]["osDisk"]["name"])


def power(day: Day, name: str) -> str:
    """The power state that ARM shows."""
    codes = [str(status["code"]) for status in day.vms[name]["properties"]["instanceView"]["statuses"]]
    return next(code for code in codes if code.startswith("PowerState/"))


def test_a_tag_edit_leads_to_a_verified_swap(day: Day) -> None:
    """The VM is stopped once, gets its disk, runs, is proved, and carries the name of its old disk and no mark."""
    row = told(day, EDITED)
    assert (row["status"], row["reason"]) == ("succeeded", "verified"), row
    assert (disk(day, EDITED), power(day, EDITED)) == (f"{EDITED}-new", "PowerState/running")
    assert day.stops[EDITED] == 1
    tags = day.vms[EDITED]["tags"]
    assert (tags["OsDiskPrevious"], "RefreshState" in tags) == (f"{EDITED}-old", False)


def test_the_first_edit_on_a_new_hub_is_looked_at_at_once(day: Day) -> None:
    """Within seconds of real time it stands in the queue: the hub's partitions are taken by then."""
    assert day.first_edit_s < 20


def test_the_selfcheck_passes_and_says_what_it_ran(day: Day) -> None:
    """Every part of the platform answers, and `GET /api/selfcheck` tells the last result."""
    assert day.selfcheck["status"] == "succeeded", day.selfcheck
    assert [row for row in day.selfcheck["checks"] if not row["ok"]] == []
    before, _, after = (lists["selfcheck"][1] for lists in day.lists)
    assert (before["passed"], after["passed"]) == (False, True)
    assert (after["last"]["package"], after["last"]["run"]) == (package.fingerprint(), day.selfcheck["id"])


def test_no_swap_begins_before_the_selfcheck_that_is_required(day: Day) -> None:
    """Everybody waits for it by name."""
    assert {name: day.unchecked[name] for name in (*TAGGED, *BULK)} == dict.fromkeys((*TAGGED, *BULK), "selfcheck")


def test_a_pause_holds_everybody_and_its_end_lets_everybody_go(day: Day) -> None:
    """Nobody is stopped while it lasts; afterwards everybody's swap comes to its end."""
    assert {name: day.paused[name] for name in (*TAGGED, *BULK)} == dict.fromkeys((*TAGGED, *BULK), "paused")
    assert day.stopped_early == []
    assert day.rows.keys() == {*TAGGED, *BULK, SWEPT}


@pytest.mark.parametrize("moment", ["before anything", "while swaps wait", "after all swaps"])
def test_every_list_is_answered(day: Day, moment: str) -> None:
    """200 for each, whatever the book holds."""
    lists = day.lists[["before anything", "while swaps wait", "after all swaps"].index(moment)]
    assert {name: status for name, (status, _) in lists.items()} == dict.fromkeys(days.LISTS, 200), lists


def test_the_lists_tell_what_is_there(day: Day) -> None:
    """Every VM, everybody who waits, every run; no orphan is left."""
    _, waiting, after = day.lists
    names = {*TAGGED, *BULK, SWEPT}
    assert {name_of(row["vm"]) for row in after["vms"][1]["value"]} == names
    assert {name_of(row["vm"]) for row in waiting["queue"][1]["waiting"]} == {*TAGGED, *BULK}
    runs = after["runs"][1]["value"]
    assert {row["kind"] for row in runs} == {"swap", "swaps", "selfcheck"}
    assert {name_of(row["input"]["vms"][0]) for row in runs if row["kind"] == "swap"} == names
    assert after["orphans"][1]["value"] == []


def test_every_run_can_be_read_by_its_id(day: Day) -> None:
    """The bulk run and each swap, with what the list says of it."""
    listed = {row["id"]: row for row in day.lists[-1]["runs"][1]["value"]}
    assert len(day.runs) == 1 + len(day.rows)
    for run_id, (status, record) in day.runs.items():
        assert (status, record["status"]) == (200, listed[run_id]["status"]), record


def test_a_bulk_run_of_ten_swaps_ten(day: Day) -> None:
    """One run with one row for each, every VM stopped once and on its disk."""
    status, record = day.runs[day.bulk["id"]]
    assert (status, record["status"], record["counts"]) == (200, "succeeded", {"succeeded": 10}), record
    assert {name_of(row["vm"]) for row in record["vms"]} == set(BULK)
    assert [day.stops[name] for name in BULK] == [1] * 10
    assert [disk(day, name) for name in BULK] == [f"{name}-new" for name in BULK]


def test_a_disk_that_never_boots_is_taken_out_again(day: Day) -> None:
    """The VM runs on its old disk, stopped twice in all, and its tags say which disk was rejected."""
    row = told(day, DEAD)
    assert (row["status"], row["reason"]) == ("rolled-back", "unhealthy"), row
    assert (disk(day, DEAD), power(day, DEAD), day.stops[DEAD]) == (f"{DEAD}-old", "PowerState/running", 2)
    tags = day.vms[DEAD]["tags"]
    assert (tags["OsDiskName"], tags["OsDiskRejected"]) == (f"{DEAD}-old", f"{DEAD}-bad")


def test_a_process_that_dies_in_an_activity_costs_one_try(day: Day) -> None:
    """The engine tells the swap that the activity failed, and the swap asks again: it succeeds, stopped once."""
    row = told(day, CRASHES)
    assert (row["status"], day.stops[CRASHES]) == ("succeeded", 1), row


def test_an_activity_that_fails_every_time_leads_the_way_back(day: Day) -> None:
    """The VM runs on its old disk, stopped once, and the outcome has the failure's own words."""
    row = told(day, FAILS)
    assert (row["status"], row["reason"]) == ("rolled-back", "step-failed"), row
    assert f"ensure_os_disk broke on {FAILS}-new" in row["message"]
    assert (disk(day, FAILS), power(day, FAILS), day.stops[FAILS]) == (f"{FAILS}-old", "PowerState/running", 1)


def test_the_sweep_finds_what_no_event_told(day: Day) -> None:
    """A wish that came without an event is fulfilled after the sweep."""
    assert told(day, SWEPT)["status"] == "succeeded"
    assert disk(day, SWEPT) == f"{SWEPT}-new"


def test_a_swap_whose_row_the_engine_left_torn_is_told_all_the_same(day: Day) -> None:
    """The engine can neither send nor list its row: the swap is told from the dispatcher's book, and ends well."""
    run = told(day, TORN)["run"]
    _, runs = day.torn["runs"]
    assert [row["status"] for row in runs["value"] if row["id"] == run] == ["running"]
    status, record = day.torn[f"runs/{run}"]
    assert (status, record["vms"][0]["message"].startswith("under way: ")) == (200, True), record
    assert day.torn["orphans"][0] == 200
    assert told(day, TORN)["status"] == "succeeded"


def test_no_timer_fails(day: Day) -> None:
    """Sweep and purge come to their end, whatever rows they meet."""
    assert day.errors == []


def test_the_purge_forgets_what_ended_long_ago(day: Day) -> None:
    """Runs are gone from list and by id; the dispatcher's book, which has no end, is not.

    Of a row without a creation time the engine does not know that it is old.
    """
    assert len(day.purged["before"][1]["value"]) == len(day.runs) + 1
    assert [row["vms"][0]["vm"] for row in day.purged["after"][1]["value"]] == [vm_id(TORN)]
    assert day.purged["bulk"][0] == 404
    status, queue = day.purged["queue"]
    assert (status, queue["max_swaps"], queue["running"]) == (200, 20, [])


def test_storage_as_strict_as_azures_refuses_nothing(day: Day) -> None:
    """No request of engine or app asks for a page that Azure Tables refuses."""
    assert day.refused == 0
    assert day.requests > 1000


def test_what_is_asked_of_the_day_was_asked(day: Day) -> None:
    """Each VM was swapped exactly once, and each run names its VM."""
    assert {name: len(rows) for name, rows in day.rows.items()} == dict.fromkeys((*TAGGED, *BULK, SWEPT), 1)
    assert {row["vm"] for rows in day.rows.values() for row in rows} == {vm_id(name) for name in day.rows}
