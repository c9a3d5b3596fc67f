"""Each failure at each step of a swap, over HTTP through the real SDK, ends as its row of the table expects."""

from __future__ import annotations

import itertools

import pytest

from tests.support.faults.fault_matrix import OPERATION, OTHER, POLICY, Failure, Step, vm_id
from tests.support.faults.fault_runs import Result, results_of
from tests.support.faults.fault_table import ROWS, Row, steps_of
from tests.support.worlds.builders import GROUP

HAPPENING = [row for row in ROWS if not row.impossible]
DENIED = {
    "rights-missing": ("Microsoft.Compute/",),
    "linked-rights-missing": ("Microsoft.Compute/disks/write", OTHER),
    "disallowed-by-policy": (POLICY,),
    "locked": (GROUP,),
}


def result_of(row: Row) -> Result:
    return results_of(row.failure, steps_of(row.failure))[row.step]


@pytest.mark.parametrize("row", HAPPENING, ids=str)
def test_a_failure_at_a_step_ends_as_the_table_says(row: Row) -> None:
    """Status, reason, power, disk, stops and operations equal the row's; no operation starts while another one runs."""
    result = result_of(row)
    kind = OPERATION.get(row.step, "tags")
    begins = "-" if kind == "tags" else str(result.begins.get(kind, 0))
    if row.expected[-1] == "5+" and begins != "-" and int(begins) >= 5:
        begins = "5+"
    outcome = result.outcome
    seen = (outcome["status"], outcome["reason"], result.power, result.disk, str(result.stops), begins)
    assert seen == row.expected, outcome
    assert result.begun_under_way == []
    assert result.swaps == 1


def test_the_table_has_every_step_and_every_failure() -> None:
    """The table has every combination of step and failure once."""
    assert sorted((row.step, row.failure) for row in ROWS) == sorted(itertools.product(Step, Failure))


@pytest.mark.parametrize("failure", Failure)
def test_every_vm_runs_again_when_the_failure_has_passed(failure: Failure) -> None:
    """After every end of a row, the sweep starts the VM on one of its two disks once Azure allows it."""
    for step, result in results_of(failure, steps_of(failure)).items():
        if failure is Failure.VM_DELETED:
            assert result.final_power == "gone", step
        else:
            assert (result.final_power, result.final_disk in ("old", "new")) == ("running", True), step


@pytest.mark.parametrize("row", [row for row in HAPPENING if row.expected[1] in DENIED], ids=str)
def test_a_denial_names_what_is_denied_and_the_cure(row: Row) -> None:
    """The message names action and scope, policy assignment or locked scope, and the cure."""
    outcome = result_of(row).outcome
    for named in DENIED[outcome["reason"]]:
        assert named in outcome["message"]
    if row.failure is Failure.RIGHTS:
        assert vm_id(row.step) in outcome["message"]
    assert ": have " in outcome["message"], "the cure"


@pytest.mark.parametrize("row", [row for row in HAPPENING if row.expected[0] == "rolled-back"], ids=str)
def test_the_message_of_a_rollback_states_whether_the_new_disk_was_attached(row: Row) -> None:
    """The new disk was attached if and only if a second update restored the old disk.

    Where every change to the new disk fails, the further updates are repetitions of it.
    """
    result = result_of(row)
    put_back = result.begins.get("update", 0) > 1 and row.step is not Step.NEW_DISK
    assert ("was taken out again" if put_back else "was not put in") in result.outcome["message"]


@pytest.mark.parametrize("row", [row for row in HAPPENING if row.expected[0] == "needs-attention"], ids=str)
def test_an_outcome_that_needs_attention_has_manual_commands(row: Row) -> None:
    """The commands begin with `AutoRefresh=hold` and end with `AutoRefresh=true`."""
    by_hand = result_of(row).outcome["by_hand"]
    assert by_hand[0].endswith("AutoRefresh=hold")
    assert by_hand[-1].endswith("AutoRefresh=true")


@pytest.mark.parametrize("row", [row for row in HAPPENING if row.expected[0] in ("refused", "rolled-back")], ids=str)
def test_only_a_disk_that_is_to_blame_is_rejected(row: Row) -> None:
    """A disk is rejected if its guest was unhealthy, not if Azure denies or fails an operation, whichever it is."""
    result = result_of(row)
    blamed = row.expected[1] == "unhealthy"
    tags_written = not (row.step is Step.REJECTION and row.failure in _NOT_WRITTEN)
    refused = row.expected[0] == "refused"
    assert ("OsDiskRejected" in result.tags) == (blamed and tags_written and not refused), result.tags


_NOT_WRITTEN = (
    *(Failure.RIGHTS, Failure.LINKED_RIGHTS, Failure.POLICY, Failure.LOCKED, Failure.BAD_REQUEST),
    *(Failure.OPERATION_FAILS, Failure.NOTHING),
)
