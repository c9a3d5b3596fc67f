"""The table of evidence: what each health rung and each error code of Azure can and cannot prove about a disk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from refresh.domain.azure.capacity import CODES as CAPACITY_CODES
from refresh.domain.azure.guests import Guest, Report
from refresh.domain.azure.refusals import DENIALS
from refresh.domain.azure.vms import Agent, Power, Vm
from refresh.domain.health.evidence import CODES, RUNGS, Meaning, can_repeat, meaning_of
from refresh.domain.health.guest_rungs import Expected, Reading, judge_rungs
from refresh.domain.health.ladder import Against, RungName, RungVerdict, judge_health
from refresh.domain.health.undisturbed import UNDISTURBED, Course, elapsed_s
from refresh.domain.swap.blame import UNHEALTHY, is_disk_to_blame
from refresh.domain.swap.plan import Step
from refresh.domain.swap.steps import Ended, is_stopped_by_others, judge_disk, judge_stopped
from refresh.domain.terms.verdict import Move, StepVerdict
from tests.support.worlds.builders import disk_id, make_vm

START, AFTER = "2026-11-21T10:00:00+00:00", "2026-11-21T10:00:30+00:00"
TIMEOUT_S = 300.0
READY = Agent(True, AFTER)
HEALTHY: dict[str, Any] = {"agent_spoke": True}


def bad(name: RungName) -> tuple[Vm, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A VM that this rung is against, what is expected of it, what makes the signal new, and the reading."""
    silent = make_vm(agent=None)
    match name:
        case RungName.POWER:
            return make_vm(agent=None, power=Power.STOPPED), {}, {}, {}
        case RungName.AGENT:
            return silent, {"agent_spoke": True, "agent": True}, {"agent_spoke": False}, {}
        case RungName.COMPUTER_NAME:
            vm = make_vm(agent=READY, guest=Guest(computer_name="golden"))
            return vm, {"agent_spoke": True, "computer_names": ("web01",)}, {}, {}
        case RungName.PROBE:
            vm = make_vm(agent=READY)
            return vm, {"agent_spoke": True, "probed": True}, {"probe_answered": False}, {"probe": "tcp:22 refused"}
        case RungName.BOOT_LOG:
            return silent, {}, {}, {"log": "kernel panic", "log_read": True}
        case RungName.RESOURCE_HEALTH:
            return silent, {}, {}, {"resource": Report("unavailable", AFTER, "Unplanned")}
        case RungName.APPLICATION_HEALTH:
            vm = make_vm(agent=READY, guest=Guest(application=Report("unhealthy", AFTER)))
            return vm, {"agent_spoke": True}, {"app_healthy": False}, {}
        case RungName.DATA_DISKS:
            return silent, {"data_disks": ("0:data:None",)}, {}, {}


def verdict_on(name: RungName, *, given_before: bool, whole_time: bool, over_s: float) -> StepVerdict:
    vm, expected, unknown, reading = bad(name)
    expects = Expected(START, **{**expected, **({} if given_before else unknown)})
    return judge_health(judge_rungs(expects, Reading(vm, **reading)), over_s, TIMEOUT_S, whole_time=whole_time)


def test_every_rung_is_in_the_table() -> None:
    """A new rung needs a row: what it proves must be decided."""
    assert set(RUNGS) == set(RungName)


@pytest.mark.parametrize("name", list(RungName))
@pytest.mark.parametrize("given_before", [True, False])
@pytest.mark.parametrize("whole_time", [True, False])
def test_a_rung_blames_a_disk_only_as_the_table_states(name: RungName, given_before: bool, whole_time: bool) -> None:
    """At the end of the health time a rung that is against the VM is evidence as its row has it, and never else."""
    row = RUNGS[name]
    verdict = verdict_on(name, given_before=given_before, whole_time=whole_time, over_s=TIMEOUT_S)
    may = row.against is not Against.NEVER and (given_before or not row.needs_before)
    assert verdict.blames is (may and (whole_time or row.against is Against.AT_ONCE)), verdict
    assert not verdict.proved


@pytest.mark.parametrize("name", [name for name, row in RUNGS.items() if row.against is Against.AFTER_HEALTH_TIME])
def test_a_guest_has_its_whole_health_time(name: RungName) -> None:
    """A wrong name, a missing report or an unanswered probe ends no health check before the time is up."""
    assert verdict_on(name, given_before=True, whole_time=True, over_s=TIMEOUT_S - 1).move is Move.WAIT
    assert verdict_on(name, given_before=True, whole_time=True, over_s=TIMEOUT_S).move is Move.FAILED


def test_only_signals_of_the_guest_prove_health() -> None:
    """The rows that prove health are those whose rungs can have the verdict `proves`."""
    vm = make_vm(agent=READY, guest=Guest(computer_name="web01", application=Report("healthy", AFTER)))
    expected = Expected(START, agent_spoke=True, computer_names=("web01",), data_disks=("0:data:None",), probed=True)
    reading = Reading(vm, "tcp:22 answers", 3, log_read=True, resource=Report("available", AFTER))
    proving = {rung.name for rung in judge_rungs(expected, reading) if rung.verdict is RungVerdict.PROVED}
    assert proving == {name for name, row in RUNGS.items() if row.proves_health}


def test_silence_is_no_evidence_while_the_platform_reports_a_fault() -> None:
    """Resource Health shows an unplanned fault of the platform: the guest's silence proves nothing about its disk."""
    reading = Reading(make_vm(agent=None), resource=Report("unavailable", AFTER, "Unplanned"))
    verdict = judge_health(judge_rungs(Expected(START, agent_spoke=True), reading), TIMEOUT_S, TIMEOUT_S)
    assert (verdict.move, verdict.blames) == (Move.FAILED, False)


def test_a_probe_that_could_not_be_sent_is_no_evidence() -> None:
    """Without the VM's address nothing was asked of the guest."""
    reading = Reading(make_vm(agent=READY), "tcp:22 cannot be probed: Throttled", unprobed=True)
    verdict = judge_health(judge_rungs(Expected(START, probed=True), reading), TIMEOUT_S, TIMEOUT_S)
    assert (verdict.move, verdict.blames) == (Move.FAILED, False)


@pytest.mark.parametrize("step", [str(step) for step in Step])
@pytest.mark.parametrize("code", [*CODES, "SomethingNew", None])
def test_no_error_code_blames_a_disk(step: str, code: str | None) -> None:
    """A failed operation is no evidence, whatever its code and its step; only the guest's own is (`blames`)."""
    assert not is_disk_to_blame(step, code, blames=False)
    assert is_disk_to_blame(step, UNHEALTHY, blames=True)


def test_the_table_has_every_code_that_the_app_knows() -> None:
    """Denials and missing capacity have their rows; a code that is not in the table means nothing about the disk."""
    assert {code for code in CODES if meaning_of(code) is Meaning.DENIED} == set(DENIALS)
    assert {code for code in CODES if meaning_of(code) is Meaning.NO_CAPACITY} == set(CAPACITY_CODES)
    assert meaning_of("SomethingNew") is meaning_of(None) is Meaning.UNKNOWN


@pytest.mark.parametrize("code", [*CODES, "SomethingNew"])
def test_only_passing_faults_are_repeated_at_once(code: str) -> None:
    """A change that a fault of the platform ended is begun again; a refused one is not."""
    vm = make_vm(power=Power.DEALLOCATED)
    verdict = judge_disk(vm, disk_id("web01-new"), 6.0, ended=Ended(False, code))
    assert (verdict.move is Move.BEGIN) is can_repeat(code) is (meaning_of(code) is Meaning.PASSING)


def test_an_operation_that_succeeded_is_believed_over_a_read() -> None:
    """A read with the old disk counts only a minute after the change; so does one without the operation's status."""
    vm = make_vm(power=Power.DEALLOCATED)
    for ended in (Ended(True), None):
        assert judge_disk(vm, disk_id("web01-new"), 59.0, ended=ended).move is Move.WAIT
        assert judge_disk(vm, disk_id("web01-new"), 60.0, ended=ended).move is Move.FAILED


@pytest.mark.parametrize(
    ("start", "settled_at", "stopped"),
    [
        (Ended(True, at=START), AFTER, True),
        (Ended(False, "OperationPreempted", START), AFTER, True),
        (Ended(True, at=START), START, False),
        (Ended(False, "OperationPreempted", START), START, False),
        (Ended(False, "AllocationFailed", START), AFTER, False),
        (Ended(True, at=None), AFTER, False),
        (Ended(True, at=START), None, False),
        (None, AFTER, False),
    ],
)
def test_a_later_operation_shows_that_somebody_else_stopped_the_vm(
    start: Ended | None, settled_at: str | None, stopped: bool
) -> None:
    """A start that failed by itself, or had no effect, is tried again; a VM that another operation stopped is not."""
    assert is_stopped_by_others(start, settled_at) is stopped


def test_the_way_back_does_not_wait_for_an_extension() -> None:
    """A running VM that is Updating is stopped at once with `preempts`, and otherwise not."""
    held = make_vm(provisioning_state="Updating")
    assert judge_stopped(held, None).move is Move.WAIT
    assert judge_stopped(held, None, preempts=True).move is Move.BEGIN
    assert judge_stopped(held, 5.0, preempts=True).move is Move.WAIT
    assert judge_stopped(replace(held, power=Power.DEALLOCATING), None, preempts=True).move is Move.WAIT


def test_a_health_time_begins_again_after_an_act_of_somebody_else() -> None:
    """A restart, or any operation after the start has settled, gives the guest its whole time; twice it at most."""
    running = make_vm(settled_at=START, read_at=START)
    course = UNDISTURBED.after(make_vm(provisioning_state="Updating")).after(running)
    assert course == Course(START)
    assert elapsed_s(course, START, AFTER, TIMEOUT_S) == (30.0, True)
    restarted = course.after(make_vm(provisioning_state="Updating", read_at=AFTER))
    assert elapsed_s(restarted, START, AFTER, TIMEOUT_S) == (0.0, False)
    assert elapsed_s(restarted, START, "2026-11-21T10:05:30+00:00", TIMEOUT_S) == (300.0, True)
    late = replace(restarted, disturbed_at="2026-11-21T10:09:00+00:00")
    assert elapsed_s(late, START, "2026-11-21T10:10:00+00:00", TIMEOUT_S) == (600.0, False)


def test_a_guest_that_shuts_itself_down_is_told_from_a_stop() -> None:
    """A guest's own shutdown is no operation: the VM is stopped, and nothing has ended since its start."""
    course = UNDISTURBED.after(make_vm(settled_at=START))
    assert course.is_stopped_by_its_guest(make_vm(power=Power.STOPPED, settled_at=START))
    assert not course.is_stopped_by_its_guest(make_vm(power=Power.STOPPED, settled_at=AFTER))
    assert not course.is_stopped_by_its_guest(make_vm(power=Power.DEALLOCATED, settled_at=START))
