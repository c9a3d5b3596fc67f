"""What each rung of the health check proves, and what all rungs together decide."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.azure.guests import Guest, Report
from refresh.domain.azure.polls import QUIET_GUEST_S
from refresh.domain.azure.vms import Agent, Power
from refresh.domain.health.guest_rungs import (
    Expected,
    Reading,
    computer_names,
    judge_agent,
    judge_name,
    judge_power,
    judge_probe,
    judge_rungs,
)
from refresh.domain.health.ladder import Rung, RungName, RungVerdict, judge_health
from refresh.domain.health.platform_rungs import judge_application, judge_data_disks, judge_log, judge_resource
from refresh.domain.terms.verdict import Move, StepVerdict
from tests.support.worlds.builders import make_vm

START = "2026-11-21T10:00:00+00:00"
BEFORE, AFTER = "2026-11-21T09:59:59+00:00", "2026-11-21T10:00:30Z"
TIMEOUT_S = 300.0


def look(vm: Any, elapsed_s: float, *, reading: dict[str, Any] | None = None, **expected: Any) -> StepVerdict:
    rungs = judge_rungs(Expected(START, **expected), Reading(vm, **(reading or {})))
    return judge_health(rungs, elapsed_s, TIMEOUT_S)


@pytest.mark.parametrize(
    ("agent", "reported_before", "required_agent", "wanted"),
    [
        (Agent(True, "2026-11-21T10:00:30.1234567+00:00"), True, None, RungVerdict.PROVED),
        (Agent(True, AFTER), False, None, RungVerdict.PROVED),
        (Agent(True, AFTER), False, True, RungVerdict.PROVED),
        (Agent(True, BEFORE), True, None, RungVerdict.SUSPECT),
        (Agent(True, None), True, None, RungVerdict.SUSPECT),
        (Agent(True, "soon"), True, None, RungVerdict.SUSPECT),
        (Agent(False, AFTER), True, None, RungVerdict.SUSPECT),
        (None, True, None, RungVerdict.SUSPECT),
        (None, True, False, RungVerdict.PENDING),
        (None, False, None, RungVerdict.NO_SIGNAL),
        (None, False, False, RungVerdict.NO_SIGNAL),
        (None, False, True, RungVerdict.PENDING),
    ],
)
def test_an_agent_must_report_after_the_start(
    agent: Agent | None, reported_before: bool, required_agent: bool | None, wanted: RungVerdict
) -> None:
    """Only a report after the start proves health.

    Without one the verdict depends on earlier reports and `RefreshAgent`.
    """
    rung = judge_agent(make_vm(agent=agent), Expected(START, agent_spoke=reported_before, agent=required_agent))
    assert (rung.verdict, rung.required) == (wanted, required_agent is True)


@pytest.mark.parametrize(
    ("power", "provisioning", "wanted"),
    [
        (Power.RUNNING, "Succeeded", RungVerdict.AS_EXPECTED),
        (Power.RUNNING, "Updating", RungVerdict.AS_EXPECTED),
        (Power.RUNNING, "Failed", RungVerdict.AS_EXPECTED),
        (Power.STARTING, "Updating", RungVerdict.PENDING),
        (Power.UNKNOWN, "Succeeded", RungVerdict.PENDING),
        (Power.STOPPED, "Succeeded", RungVerdict.FAILED),
        (Power.DEALLOCATED, "Succeeded", RungVerdict.FAILED),
    ],
)
def test_a_vm_must_run_whatever_its_extensions_do(power: Power, provisioning: str, wanted: RungVerdict) -> None:
    """A running VM is as expected, a stopped one fails at once, a starting one is pending."""
    assert judge_power(make_vm(power=power, provisioning_state=provisioning)).verdict is wanted


@pytest.mark.parametrize(
    ("guest_name", "names", "os_type", "wanted"),
    [
        ("web01", ("web01",), "Linux", RungVerdict.AS_EXPECTED),
        ("WEB01", ("web01",), "Linux", RungVerdict.AS_EXPECTED),
        ("web01.corp.example.com", ("web01",), "Linux", RungVerdict.AS_EXPECTED),
        ("golden", ("web01",), "Linux", RungVerdict.SUSPECT),
        ("web012", ("web01",), "Windows", RungVerdict.SUSPECT),
        ("PAYMENTS-FRONTE", ("payments-frontend-01",), "Windows", RungVerdict.AS_EXPECTED),
        ("payments-fronte", ("payments-frontend-01",), "Linux", RungVerdict.SUSPECT),
        ("srv-17", ("srv-17", "web01"), "Windows", RungVerdict.AS_EXPECTED),
    ],
)
def test_a_guest_that_kept_another_name_is_a_clone(
    guest_name: str, names: tuple[str, ...], os_type: str, wanted: RungVerdict
) -> None:
    """Names compare without case and domain; Windows names are cut to fifteen characters."""
    assert judge_name(make_vm(os_type=os_type, guest=Guest(computer_name=guest_name)), names).verdict is wanted


def test_a_guest_may_have_each_of_three_names() -> None:
    """The guest's name now, its name at creation and the VM's name count, each once."""
    assert computer_names(make_vm(guest=Guest("srv-17", "web01"))) == ("srv-17", "web01")
    assert computer_names(make_vm()) == ("web01",)


def test_a_name_from_before_the_start_is_not_judged() -> None:
    """The guest's name counts only with a report after the start: until then Azure shows the old disk's name."""
    stale = make_vm(agent=Agent(True, BEFORE), guest=Guest(computer_name="golden"))
    fresh = make_vm(agent=Agent(True, AFTER), guest=Guest(computer_name="golden"))
    assert look(stale, 5, agent_spoke=True, computer_names=("web01",)).move is Move.WAIT
    assert look(fresh, 5, agent_spoke=True, computer_names=("web01",)).move is Move.WAIT
    verdict = look(fresh, TIMEOUT_S, agent_spoke=True, computer_names=("web01",))
    assert (verdict.move, verdict.blames) == (Move.FAILED, True)
    assert "a clone" in verdict.seen


def test_several_successful_probes_in_a_row_prove_health() -> None:
    """One answer is not enough: it may come from a guest that is shutting down."""
    assert judge_probe(Reading(make_vm(), "tcp:22 answers", 2)).verdict is RungVerdict.PENDING
    assert judge_probe(Reading(make_vm(), "tcp:22 answers", 3)).verdict is RungVerdict.PROVED
    assert judge_probe(Reading(make_vm())).required


def test_the_log_proves_failure_and_never_health() -> None:
    """The serial log can prove failure, never health."""
    assert judge_log("kernel panic").verdict is RungVerdict.FAILED
    assert judge_log(None).verdict is RungVerdict.NO_SIGNAL


@pytest.mark.parametrize(
    ("report", "wanted"),
    [
        (Report("available", AFTER), RungVerdict.NO_SIGNAL),
        (Report("unavailable", AFTER, "Unplanned"), RungVerdict.SUSPECT),
        (Report("unavailable", BEFORE, "Unplanned"), RungVerdict.NO_SIGNAL),
        (Report("unavailable", AFTER, "Customer Initiated"), RungVerdict.NO_SIGNAL),
        (Report("unknown", AFTER), RungVerdict.NO_SIGNAL),
        (Report("degraded", AFTER), RungVerdict.NO_SIGNAL),
    ],
)
def test_resource_health_is_suspect_unless_a_stop_was_requested(report: Report, wanted: RungVerdict) -> None:
    """Unavailable since the start, without a requested stop, is suspect."""
    rung = judge_resource(report, START)
    assert (rung.verdict, rung.required) == (wanted, False)


@pytest.mark.parametrize(
    ("report", "wanted", "required"),
    [
        (Report("healthy", AFTER), RungVerdict.AS_EXPECTED, False),
        (Report("unhealthy", AFTER), RungVerdict.SUSPECT, True),
        (Report("unhealthy", BEFORE), RungVerdict.NO_SIGNAL, False),
        (Report("initializing", AFTER), RungVerdict.NO_SIGNAL, False),
        (Report("unknown", None), RungVerdict.NO_SIGNAL, False),
    ],
)
def test_an_unhealthy_application_is_not_proved(report: Report, wanted: RungVerdict, required: bool) -> None:
    """The extension's "unhealthy" after the start outweighs any proof."""
    rung = judge_application(report, START)
    assert (rung.verdict, rung.required) == (wanted, required)


def test_data_disks_must_be_attached_as_before() -> None:
    """A missing, moved or differently cached data disk is noted, and fails no OS disk; an added one does not count."""
    log, data = "0:log:None", "1:data:ReadOnly"
    assert judge_data_disks((log, data), (log, data)).verdict is RungVerdict.AS_EXPECTED
    assert judge_data_disks((log, data, "2:new:None"), (log, data)).verdict is RungVerdict.AS_EXPECTED
    assert judge_data_disks((log,), (log, data)).verdict is RungVerdict.NO_SIGNAL
    assert judge_data_disks((log, "2:data:ReadOnly"), (log, data)).verdict is RungVerdict.NO_SIGNAL
    assert judge_data_disks((log, "1:data:None"), (log, data)).verdict is RungVerdict.NO_SIGNAL


def rung(wanted: RungVerdict, name: RungName = RungName.AGENT, *, required: bool = False) -> Rung:
    return Rung(name, wanted, "seen", required)


@pytest.mark.parametrize(
    ("rungs", "elapsed_s", "move", "proved"),
    [
        ([rung(RungVerdict.PROVED)], 5, Move.DONE, True),
        ([rung(RungVerdict.PROVED), rung(RungVerdict.FAILED, RungName.BOOT_LOG)], 5, Move.FAILED, False),
        ([rung(RungVerdict.PROVED), rung(RungVerdict.PENDING, RungName.PROBE, required=True)], 5, Move.WAIT, False),
        ([rung(RungVerdict.PROVED), rung(RungVerdict.PENDING, RungName.PROBE, required=True)], 300, Move.FAILED, False),
        ([rung(RungVerdict.PROVED), rung(RungVerdict.SUSPECT, RungName.RESOURCE_HEALTH)], 5, Move.DONE, True),
        ([rung(RungVerdict.SUSPECT), rung(RungVerdict.PROVED, RungName.PROBE, required=True)], 20, Move.DONE, True),
        ([rung(RungVerdict.SUSPECT)], 299, Move.WAIT, False),
        ([rung(RungVerdict.SUSPECT)], 300, Move.FAILED, False),
        ([rung(RungVerdict.PENDING)], 299, Move.WAIT, False),
        ([rung(RungVerdict.PENDING)], 300, Move.DONE, False),
        ([rung(RungVerdict.NO_SIGNAL)], QUIET_GUEST_S - 1, Move.WAIT, False),
        ([rung(RungVerdict.NO_SIGNAL)], QUIET_GUEST_S, Move.DONE, False),
        ([rung(RungVerdict.NO_SIGNAL), rung(RungVerdict.SUSPECT, RungName.RESOURCE_HEALTH)], 300, Move.FAILED, False),
    ],
)
def test_the_rungs_together_prove_fail_or_wait(rungs: list[Rung], elapsed_s: float, move: Move, proved: bool) -> None:
    """Healthy needs a proof and every required rung.

    Without them the timeout decides between unhealthy and not proven.
    """
    verdict = judge_health(rungs, elapsed_s, TIMEOUT_S)
    assert (verdict.move, verdict.proved) == (move, proved)


def test_a_rung_that_is_switched_off_does_not_count() -> None:
    """The setting switches a rung off; power always counts."""
    silent = make_vm(agent=None, power=Power.STOPPED)
    rungs = judge_rungs(Expected(START, agent_spoke=True, counted=()), Reading(silent))
    assert [each.name for each in rungs] == [RungName.POWER]


def test_a_slow_extension_is_not_a_bad_disk() -> None:
    """A VM that runs and whose agent has reported is proved while its start is still under way."""
    vm = make_vm(provisioning_state="Updating", agent=Agent(True, AFTER))
    assert look(vm, 30, agent_spoke=True).proved
    assert look(make_vm(provisioning_state="Updating", agent=None), TIMEOUT_S).move is Move.DONE
