"""The main promises of the app, on Microsoft's Durable engine with storage as strict as Azure's.

One scenario runs in real time (`tests/support/worlds/engine_day.py`); each test checks one promise on its results.
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
    """The results of the scenario, which runs once."""
    need_engine()
    return run(days.run_day, Clock("real"))


def row_of(day: Day, name: str) -> dict[str, Any]:
    """The only row of the run list about a VM."""
    (row,) = day.rows[name]
    return row


def disk(day: Day, name: str) -> str:
    """The name of the VM's OS disk in ARM."""
    return str(day.vms[name]["properties"]["storageProfile"]["osDisk"]["name"])


def power(day: Day, name: str) -> str:
    """The VM's power state in ARM."""
    codes = [str(status["code"]) for status in day.vms[name]["properties"]["instanceView"]["statuses"]]
    return next(code for code in codes if code.startswith("PowerState/"))


def test_a_tag_edit_leads_to_a_verified_swap(day: Day) -> None:
    """The VM is stopped once, runs its new disk, is verified, and has `OsDiskPrevious` and no `RefreshState`."""
    row = row_of(day, EDITED)
    assert (row["status"], row["reason"]) == ("succeeded", "verified"), row
    assert (disk(day, EDITED), power(day, EDITED)) == (f"{EDITED}-new", "PowerState/running")
    assert day.stops[EDITED] == 1
    tags = day.vms[EDITED]["tags"]
    assert (tags["OsDiskPrevious"], "RefreshState" in tags) == (f"{EDITED}-old", False)


def test_the_first_edit_on_a_new_hub_is_read_at_once(day: Day) -> None:
    """The VM is in the queue within seconds, so the partitions of the hub have an owner by then."""
    assert day.first_edit_s < 20


def test_the_selfcheck_passes_and_names_its_package_and_run(day: Day) -> None:
    """Every check passes, and `GET /api/selfcheck` returns the last result."""
    assert day.selfcheck["status"] == "succeeded", day.selfcheck
    assert [row for row in day.selfcheck["checks"] if not row["ok"]] == []
    before, _, after = (lists["selfcheck"][1] for lists in day.lists)
    assert (before["passed"], after["passed"]) == (False, True)
    assert (after["last"]["package"], after["last"]["run"]) == (package.fingerprint(), day.selfcheck["id"])


def test_no_swap_begins_before_the_selfcheck_that_is_required(day: Day) -> None:
    """Every VM waits with reason `selfcheck`."""
    assert {name: day.unchecked[name] for name in (*TAGGED, *BULK)} == dict.fromkeys((*TAGGED, *BULK), "selfcheck")


def test_a_pause_holds_every_vm_and_its_end_releases_every_vm(day: Day) -> None:
    """No VM is stopped during a pause; afterwards the swap of every VM ends."""
    assert {name: day.paused[name] for name in (*TAGGED, *BULK)} == dict.fromkeys((*TAGGED, *BULK), "paused")
    assert day.stopped_early == []
    assert day.rows.keys() == {*TAGGED, *BULK, SWEPT}


@pytest.mark.parametrize("moment", ["before anything", "while swaps wait", "after all swaps"])
def test_every_list_is_answered(day: Day, moment: str) -> None:
    """Each list answers 200 in every dispatcher state."""
    lists = day.lists[["before anything", "while swaps wait", "after all swaps"].index(moment)]
    assert {name: status for name, (status, _) in lists.items()} == dict.fromkeys(days.LISTS, 200), lists


def test_the_lists_are_complete(day: Day) -> None:
    """The lists have every VM, every waiting VM and every run; there is no orphan."""
    _, waiting, after = day.lists
    names = {*TAGGED, *BULK, SWEPT}
    assert {name_of(row["vm"]) for row in after["vms"][1]["value"]} == names
    assert {name_of(row["vm"]) for row in waiting["queue"][1]["waiting"]} == {*TAGGED, *BULK}
    runs = after["runs"][1]["value"]
    assert {row["kind"] for row in runs} == {"swap", "swaps", "selfcheck"}
    assert {name_of(row["input"]["vms"][0]) for row in runs if row["kind"] == "swap"} == names
    assert after["orphans"][1]["value"] == []


def test_every_run_can_be_read_by_its_id(day: Day) -> None:
    """The bulk run and each swap have the same status by id as in the list."""
    listed = {row["id"]: row for row in day.lists[-1]["runs"][1]["value"]}
    assert len(day.runs) == 1 + len(day.rows)
    for run_id, (status, record) in day.runs.items():
        assert (status, record["status"]) == (200, listed[run_id]["status"]), record


def test_a_bulk_run_of_ten_swaps_ten(day: Day) -> None:
    """The run has one row for each VM, and every VM is stopped once and on its disk."""
    status, record = day.runs[day.bulk["id"]]
    assert (status, record["status"], record["counts"]) == (200, "succeeded", {"succeeded": 10}), record
    assert {name_of(row["vm"]) for row in record["vms"]} == set(BULK)
    assert [day.stops[name] for name in BULK] == [1] * 10
    assert [disk(day, name) for name in BULK] == [f"{name}-new" for name in BULK]


def test_a_disk_that_never_boots_is_rolled_back(day: Day) -> None:
    """The VM runs on its old disk after two stops, and `OsDiskRejected` names the rejected disk."""
    row = row_of(day, DEAD)
    assert (row["status"], row["reason"]) == ("rolled-back", "unhealthy"), row
    assert (disk(day, DEAD), power(day, DEAD), day.stops[DEAD]) == (f"{DEAD}-old", "PowerState/running", 2)
    tags = day.vms[DEAD]["tags"]
    assert (tags["OsDiskName"], tags["OsDiskRejected"]) == (f"{DEAD}-old", f"{DEAD}-bad")


def test_a_process_that_dies_in_an_activity_costs_one_try(day: Day) -> None:
    """The engine reports the activity as failed, and the swap retries it and succeeds with one stop."""
    row = row_of(day, CRASHES)
    assert (row["status"], day.stops[CRASHES]) == ("succeeded", 1), row


def test_an_activity_that_fails_every_time_leads_to_a_rollback(day: Day) -> None:
    """The VM runs on its old disk after one stop, and the outcome has the text of the failure."""
    row = row_of(day, FAILS)
    assert (row["status"], row["reason"]) == ("rolled-back", "step-failed"), row
    assert f"ensure_os_disk broke on {FAILS}-new" in row["message"]
    assert (disk(day, FAILS), power(day, FAILS), day.stops[FAILS]) == (f"{FAILS}-old", "PowerState/running", 1)


def test_the_sweep_finds_a_tag_edit_without_an_event(day: Day) -> None:
    """A disk requested without an event is swapped in after the sweep."""
    assert row_of(day, SWEPT)["status"] == "succeeded"
    assert disk(day, SWEPT) == f"{SWEPT}-new"


def test_a_swap_with_an_incomplete_row_of_the_engine_is_listed_all_the_same(day: Day) -> None:
    """The engine cannot return the row, so the API shows the swap from the dispatcher state; the swap succeeds."""
    run = row_of(day, TORN)["run"]
    _, runs = day.torn["runs"]
    assert [row["status"] for row in runs["value"] if row["id"] == run] == ["running"]
    status, record = day.torn[f"runs/{run}"]
    assert (status, record["vms"][0]["message"].startswith("under way: ")) == (200, True), record
    assert day.torn["orphans"][0] == 200
    assert row_of(day, TORN)["status"] == "succeeded"


@pytest.mark.parametrize("name", [EDITED, DEAD])
def test_a_late_second_start_loses_no_outcome(day: Day, name: str) -> None:
    """The run is shown as before, with its evidence, although the engine has replaced its instance."""
    before, after = day.late[name]
    assert (before[0], before[1]["evidence"] != []) == (200, True), before
    assert after == before


def test_a_late_second_run_returns_the_outcome_of_the_first(day: Day) -> None:
    """The outcome stays the output of the run's instance for as long as the run is remembered."""
    _, (_, record) = day.late[EDITED]
    assert (day.late_output["status"], day.late_output["run"]) == ("succeeded", record["id"])
    assert day.late_output["evidence"] == record["evidence"]


def test_no_timer_fails(day: Day) -> None:
    """Sweep and purge finish with any rows in the hub."""
    assert day.errors == []


def test_the_purge_deletes_what_ended_long_ago(day: Day) -> None:
    """Old runs are gone from the list and by id; the dispatcher state, which never ends, remains.

    A row without a creation time remains because the engine cannot compute its age.
    """
    assert len(day.purged["before"][1]["value"]) == len(day.runs) + 1
    assert [row["vms"][0]["vm"] for row in day.purged["after"][1]["value"]] == [vm_id(TORN)]
    assert day.purged["bulk"][0] == 404
    status, queue = day.purged["queue"]
    assert (status, queue["max_swaps"], queue["running"]) == (200, 20, [])


def test_storage_as_strict_as_azures_refuses_nothing(day: Day) -> None:
    """No request of the engine or the app has a page size that Azure Tables refuses."""
    assert day.refused == 0
    assert day.requests > 1000


def test_every_vm_of_the_scenario_was_swapped_once(day: Day) -> None:
    """Each VM was swapped exactly once, and each row names its VM."""
    assert {name: len(rows) for name, rows in day.rows.items()} == dict.fromkeys((*TAGGED, *BULK, SWEPT), 1)
    assert {row["vm"] for rows in day.rows.values() for row in rows} == {vm_id(name) for name in day.rows}
