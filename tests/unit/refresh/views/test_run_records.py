"""Run records, made from Durable's states and the results of runs."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.views.runs import ROW, STATUSES, Instance, kind_of_run, outcome_record, run_record
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import view_of

OTHER = VM_ID.replace("web01", "web02")
STARTED, ENDED = "2026-11-01T00:00:00+00:00", "2026-11-01T01:00:00+00:00"


def instance(
    state: str = "completed", *, given: dict[str, Any] | None = None, output: dict[str, Any] | None = None
) -> Instance:
    ended = None if state == "running" else ENDED
    return Instance("swaps-202611-1a2b3c4d", state, STARTED, ended, given or {}, output or {})


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        ("month-202611-1a2b3c4d", "month"),
        ("swaps-202611-1a2b3c4d", "swaps"),
        ("swap-0123456789ab-7", "swap"),
        ("recipe-202611-1a2b3c4d", "recipe"),
        ("machine-0123456789ab-1a2b3c4d", "machine"),
        ("proof-202611-1a2b3c4d", "proof"),
        ("swap-", None),
        ("@dispatcher@app", None),
        ("swaps-1/2", None),
        ("swaps-1\n", None),
        ("", None),
    ],
)
def test_an_id_begins_with_the_kind_of_its_run(run: str, kind: str | None) -> None:
    """Only ids of runs have a kind; entities, paths and ids with a line break have none."""
    assert kind_of_run(run) == kind


@pytest.mark.parametrize(
    ("state", "output", "status"),
    [
        ("running", {}, "running"),
        ("completed", {"status": "rolled-back"}, "rolled-back"),
        ("completed", {"status": "skipped"}, "refused"),
        ("completed", {"status": "something new"}, "failed"),
        ("completed", {"decision": "failed", "definition": "d"}, "failed"),
        ("completed", {"looked": 3}, "succeeded"),
        ("failed", {}, "failed"),
        ("terminated", {}, "failed"),
    ],
)
def test_every_state_becomes_one_of_the_known_statuses(state: str, output: dict[str, Any], status: str) -> None:
    """Every state of Durable and every result becomes one of the documented statuses."""
    record = run_record(instance(state, output=output), view_of())
    assert record["status"] == status
    assert status in STATUSES


def test_a_run_that_broke_off_names_where_to_look() -> None:
    """A failed or terminated run has a sentence and no exception's text."""
    assert "log" in run_record(instance("failed"), view_of())["message"]
    assert "terminated" in run_record(instance("terminated"), view_of())["message"]


def test_the_record_of_bulk_work_shows_the_vms_of_its_input_and_not_its_rows() -> None:
    """The input of a continued run lists the VMs done and to do, and none of the rows."""
    row = {"vm": VM_ID, "decision": "create", "reason": "made", "message": ""}
    record = run_record(instance("running", given={"period": "202611", "vms": [OTHER], "rows": [row]}), view_of())
    assert record["input"] == {"period": "202611", "vms": [VM_ID, OTHER]}
    assert record["vms"][0]["vm"] == VM_ID


def test_a_running_run_lists_every_vm_with_its_progress() -> None:
    """The record lists VMs that are done, under way, waiting, finished meanwhile, and not looked at yet."""
    names = [VM_ID.replace("web01", f"web0{n}") for n in range(5)]
    done, swapping, waiting, finished, fresh = names
    dispatcher = view_of(
        {
            "running": {swapping.lower(): {"id": swapping, "n": 1, "step": "stop"}},
            "queue": {waiting.lower(): {"id": waiting}},
            "finished": [
                {"vm": finished, "run": "swap-x-2", "status": "succeeded", "reason": "verified", "ended": ENDED}
            ],
        }
    )
    row = {"vm": done, "status": "refused", "decision": "refuse", "reason": "disk-in-use", "message": "m"}
    record = run_record(instance("running", given={"vms": names[1:], "done": [row]}), dispatcher)
    listed = {vm["vm"]: (vm["status"], vm["reason"]) for vm in record["vms"]}
    assert listed == {
        done: ("refused", "disk-in-use"),
        swapping: ("running", "swapping"),
        waiting: ("running", None),
        finished: ("succeeded", "verified"),
        fresh: ("running", None),
    }


def test_an_outcome_from_before_the_run_is_not_its_result() -> None:
    """A VM that was swapped earlier is not shown as done by a run that has only begun."""
    dispatcher = view_of(
        {"finished": [{"vm": VM_ID, "run": "r", "status": "succeeded", "ended": "2026-10-01T00:00:00+00:00"}]}
    )
    (row,) = run_record(instance("running", given={"vms": [VM_ID]}), dispatcher)["vms"]
    assert row["status"] == "running"


@pytest.mark.parametrize(("status", "current"), [("succeeded", "new"), ("rolled-back", "old"), ("refused", None)])
def test_current_is_the_disk_that_was_verified_at_the_end(status: str, current: str | None) -> None:
    """A swap's row shows the disk of its outcome, not the one that an earlier step saw."""
    outcome: dict[str, Any] = {"vm": VM_ID, "run": "r", "status": status, "reason": "x", "message": "m"}
    outcome |= {"old_disk": disk_id("old"), "new_disk": disk_id("new"), "down_s": 40.0}
    (row,) = outcome_record("r", outcome)["vms"]
    assert row["current"] == current
    assert set(ROW) <= set(row)
    assert row["down_s"] == 40.0


def test_a_record_lists_images_beside_vms() -> None:
    """A month's result shows its definitions; a single build is such a row itself."""
    image = {"definition": "d", "decision": "create", "reason": "made", "message": ""}
    assert run_record(instance(output={"status": "succeeded", "images": [image]}), view_of())["images"] == [image]
    assert run_record(instance(output=image), view_of())["images"] == [image]


def test_a_retention_run_lists_the_resources_done_so_far() -> None:
    """The rows in the input of a continued run are resources, not VMs."""
    row = {"kind": "disk", "id": "d", "decision": "deleted", "reason": "deleted", "message": "m"}
    instance = Instance("retention-202611-1", "running", "t", None, {"delete": True, "told": [row]}, {})
    record = run_record(instance, view_of())
    assert (record["vms"], [one["id"] for one in record["resources"]]) == ([], ["d"])
    assert record["input"] == {"delete": True}


@pytest.mark.parametrize(("state", "status"), [("done", "succeeded"), ("failed", "failed")])
def test_the_status_of_a_build_stage_follows_its_state(state: str, status: str) -> None:
    """A proof or a build VM that failed is a failed run, with its sentence."""
    found = Instance("proof-202611-1", "completed", STARTED, ENDED, {}, {"state": state, "message": "as it was"})
    record = run_record(found, view_of())
    assert (record["kind"], record["status"], record["message"]) == ("proof", status, "as it was")
