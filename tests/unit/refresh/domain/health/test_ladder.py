from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.azure.guests import Guest, Report
from refresh.domain.azure.vms import Agent, Power
from refresh.domain.health.guest_rungs import (
    Expected,
    Reading,
    climb,
    computer_names,
    judge_agent,
    judge_name,
    judge_power,
    judge_probe,
)
from refresh.domain.health.ladder import QUIET_S, Rung, RungName, RungVerdict, judge_health
from refresh.domain.health.platform_rungs import judge_application, judge_data_disks, judge_log, judge_resource
from refresh.domain.terms.verdict import Move, StepVerdict
from tests.support.worlds.builders import make_vm

START = "2026-11-21T10:00:00+00:00"
BEFORE, AFTER = "2026-11-21T09:59:59+00:00", "2026-11-21T10:00:30Z"
TIMEOUT_S = 300.0


def look(vm: Any, elapsed_s: float, *, reading: dict[str, Any] | None = None, **expected: Any) -> StepVerdict:
    rungs = climb(Expected(START, **expected), Reading(vm, **(reading or {})))
    return judge_health(rungs, elapsed_s, TIMEOUT_S)


@pytest.mark.parametrize(
    ("agent", "spoke", "promised", "says"),
    [
        (Agent(True, "2026-11-21T10:00:30.1234567+00:00"), True, None, RungVerdict.PROVES),
        (Agent(True, AFTER), False, None, RungVerdict.PROVES),
        (Agent(True, AFTER), False, True, RungVerdict.PROVES),
        (Agent(True, BEFORE), True, None, RungVerdict.DOUBTS),
        (Agent(True, None), True, None, RungVerdict.DOUBTS),
        (Agent(True, "soon"), True, None, RungVerdict.DOUBTS),
        (Agent(False, AFTER), True, None, RungVerdict.DOUBTS),
        (None, True, None, RungVerdict.DOUBTS),
        (None, True, False, RungVerdict.WAITS),
        (None, False, None, RungVerdict.QUIET),
        (None, False, False, RungVerdict.QUIET),
        (None, False, True, RungVerdict.WAITS),
    ],
)
def test_an_agent_must_speak_after_the_start(
    agent: Agent | None, spoke: bool, promised: bool | None, says: RungVerdict
) -> None:
    """Only a report later than the start proves; silence weighs by what was heard and promised before."""
    rung = judge_agent(make_vm(agent=agent), Expected(START, agent_spoke=spoke, agent=promised))
    assert (rung.says, rung.required) == (says, promised is True)


@pytest.mark.parametrize(
    ("power", "provisioning", "says"),
    [
        (Power.RUNNING, "Succeeded", RungVerdict.FITS),
        (Power.RUNNING, "Updating", RungVerdict.FITS),
        (Power.RUNNING, "Failed", RungVerdict.FITS),
        (Power.STARTING, "Updating", RungVerdict.WAITS),
        (Power.UNKNOWN, "Succeeded", RungVerdict.WAITS),
        (Power.STOPPED, "Succeeded", RungVerdict.CONDEMNS),
        (Power.DEALLOCATED, "Succeeded", RungVerdict.CONDEMNS),
    ],
)
def test_a_vm_must_run_whatever_its_extensions_do(power: Power, provisioning: str, says: RungVerdict) -> None:
    """A running VM goes on to the ladder, a stopped one is condemned at once, one on its way is waited for."""
    assert judge_power(make_vm(power=power, provisioning_state=provisioning)).says is says


@pytest.mark.parametrize(
    ("said", "names", "os_type", "says"),
    [
        ("web01", ("web01",), "Linux", RungVerdict.FITS),
        ("WEB01", ("web01",), "Linux", RungVerdict.FITS),
        ("web01.corp.example.com", ("web01",), "Linux", RungVerdict.FITS),
        ("golden", ("web01",), "Linux", RungVerdict.CONDEMNS),
        ("web012", ("web01",), "Windows", RungVerdict.CONDEMNS),
        ("PAYMENTS-FRONTE", ("payments-frontend-01",), "Windows", RungVerdict.FITS),
        ("payments-fronte", ("payments-frontend-01",), "Linux", RungVerdict.CONDEMNS),
        ("srv-17", ("srv-17", "web01"), "Windows", RungVerdict.FITS),
    ],
)
def test_a_guest_that_kept_another_name_is_a_clone(
    said: str, names: tuple[str, ...], os_type: str, says: RungVerdict
) -> None:
    """Names compare without case and domain; Windows knows fifteen characters."""
    assert judge_name(make_vm(os_type=os_type, guest=Guest(computer_name=said)), names).says is says


def test_a_vm_goes_by_every_name_it_is_known_by() -> None:
    """The name its guest has now, the one it was created with and the VM's own, each once."""
    assert computer_names(make_vm(guest=Guest("srv-17", "web01"))) == ("srv-17", "web01")
    assert computer_names(make_vm()) == ("web01",)


def test_a_name_from_before_the_start_is_not_judged() -> None:
    """A name counts with the report it came with: the old disk's name stays on show until the new agent reports."""
    stale = make_vm(agent=Agent(True, BEFORE), guest=Guest(computer_name="golden"))
    fresh = make_vm(agent=Agent(True, AFTER), guest=Guest(computer_name="golden"))
    assert look(stale, 5, agent_spoke=True, computer_names=("web01",)).move is Move.WAIT
    verdict = look(fresh, 5, agent_spoke=True, computer_names=("web01",))
    assert verdict.move is Move.FAILED
    assert "a clone" in verdict.seen


def test_several_answers_in_a_row_prove() -> None:
    """One answer is not enough: it may come from a guest on its way down."""
    assert judge_probe(Reading(make_vm(), "tcp:22 answers", 2)).says is RungVerdict.WAITS
    assert judge_probe(Reading(make_vm(), "tcp:22 answers", 3)).says is RungVerdict.PROVES
    assert judge_probe(Reading(make_vm())).required


def test_the_log_condemns_and_never_acquits() -> None:
    """What stands in the serial log can only speak against the boot."""
    assert judge_log("kernel panic").says is RungVerdict.CONDEMNS
    assert judge_log(None).says is RungVerdict.QUIET


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (Report("available", AFTER), RungVerdict.QUIET),
        (Report("unavailable", AFTER, "Unplanned"), RungVerdict.DOUBTS),
        (Report("unavailable", BEFORE, "Unplanned"), RungVerdict.QUIET),
        (Report("unavailable", AFTER, "Customer Initiated"), RungVerdict.QUIET),
        (Report("unknown", AFTER), RungVerdict.QUIET),
        (Report("degraded", AFTER), RungVerdict.QUIET),
    ],
)
def test_resource_health_doubts_what_is_not_our_own_stop(report: Report, says: RungVerdict) -> None:
    """Unavailable since the start, and not because somebody stopped it: against the VM unless its guest speaks."""
    rung = judge_resource(report, START)
    assert (rung.says, rung.required) == (says, False)


@pytest.mark.parametrize(
    ("report", "says", "required"),
    [
        (Report("healthy", AFTER), RungVerdict.FITS, False),
        (Report("unhealthy", AFTER), RungVerdict.DOUBTS, True),
        (Report("unhealthy", BEFORE), RungVerdict.QUIET, False),
        (Report("initializing", AFTER), RungVerdict.QUIET, False),
        (Report("unknown", None), RungVerdict.QUIET, False),
    ],
)
def test_an_unhealthy_application_is_no_green(report: Report, says: RungVerdict, required: bool) -> None:
    """The extension's own "unhealthy" after the start stands against any proof."""
    rung = judge_application(report, START)
    assert (rung.says, rung.required) == (says, required)


def test_data_disks_hang_where_they_hung() -> None:
    """Missing, moved or cached otherwise condemns; one that somebody added does not."""
    log, data = "0:log:None", "1:data:ReadOnly"
    assert judge_data_disks((log, data), (log, data)).says is RungVerdict.FITS
    assert judge_data_disks((log, data, "2:new:None"), (log, data)).says is RungVerdict.FITS
    assert judge_data_disks((log,), (log, data)).says is RungVerdict.CONDEMNS
    assert judge_data_disks((log, "2:data:ReadOnly"), (log, data)).says is RungVerdict.CONDEMNS
    assert judge_data_disks((log, "1:data:None"), (log, data)).says is RungVerdict.CONDEMNS


def rung(says: RungVerdict, name: RungName = RungName.AGENT, *, required: bool = False) -> Rung:
    return Rung(name, says, "seen", required)


@pytest.mark.parametrize(
    ("rungs", "elapsed_s", "move", "proved"),
    [
        ([rung(RungVerdict.PROVES)], 5, Move.DONE, True),
        ([rung(RungVerdict.PROVES), rung(RungVerdict.CONDEMNS, RungName.BOOT_LOG)], 5, Move.FAILED, False),
        ([rung(RungVerdict.PROVES), rung(RungVerdict.WAITS, RungName.PROBE, required=True)], 5, Move.WAIT, False),
        ([rung(RungVerdict.PROVES), rung(RungVerdict.WAITS, RungName.PROBE, required=True)], 300, Move.FAILED, False),
        ([rung(RungVerdict.PROVES), rung(RungVerdict.DOUBTS, RungName.RESOURCE_HEALTH)], 5, Move.DONE, True),
        ([rung(RungVerdict.DOUBTS), rung(RungVerdict.PROVES, RungName.PROBE, required=True)], 20, Move.DONE, True),
        ([rung(RungVerdict.DOUBTS)], 299, Move.WAIT, False),
        ([rung(RungVerdict.DOUBTS)], 300, Move.FAILED, False),
        ([rung(RungVerdict.WAITS)], 299, Move.WAIT, False),
        ([rung(RungVerdict.WAITS)], 300, Move.DONE, False),
        ([rung(RungVerdict.QUIET)], QUIET_S - 1, Move.WAIT, False),
        ([rung(RungVerdict.QUIET)], QUIET_S, Move.DONE, False),
        ([rung(RungVerdict.QUIET), rung(RungVerdict.DOUBTS, RungName.RESOURCE_HEALTH)], 300, Move.FAILED, False),
    ],
)
def test_the_rungs_together_prove_condemn_or_wait(
    rungs: list[Rung], elapsed_s: float, move: Move, proved: bool
) -> None:
    """Green needs a proof and every promise kept; without either, time decides between unhealthy and not proven."""
    verdict = judge_health(rungs, elapsed_s, TIMEOUT_S)
    assert (verdict.move, verdict.proved) == (move, proved)


def test_a_rung_that_does_not_count_is_not_climbed() -> None:
    """The setting takes a rung out whatever it would say; power always counts."""
    silent = make_vm(agent=None, power=Power.STOPPED)
    rungs = climb(Expected(START, agent_spoke=True, counted=()), Reading(silent))
    assert [each.name for each in rungs] == [RungName.POWER]


def test_a_slow_extension_is_not_a_bad_disk() -> None:
    """The VM runs and its agent has reported while the start is still under way: proved."""
    vm = make_vm(provisioning_state="Updating", agent=Agent(True, AFTER))
    assert look(vm, 30, agent_spoke=True).proved
    assert look(make_vm(provisioning_state="Updating", agent=None), TIMEOUT_S).move is Move.DONE
