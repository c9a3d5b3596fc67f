"""The verdict of each rung of the health ladder on one reading of a VM.

Decides for each rung what counts for the VM, against it, or not at all. `ladder.py` weighs the rungs together. Does not
know how a reading was made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from refresh.domain.azure.data_disks import data_disks_of
from refresh.domain.azure.guests import Report
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.health.evidence import against_of
from refresh.domain.health.ladder import OPTIONAL, Rung, RungName, RungVerdict
from refresh.domain.health.platform_rungs import judge_application, judge_data_disks, judge_log, judge_resource
from refresh.domain.terms import times

# NetBIOS: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcompute
_WINDOWS_NAME_LENGTH = 15
# This many answers in a row, at the rhythm of the readings (5 s).
SUCCESSES_NEEDED = 3


@dataclass(frozen=True)
class Expected:
    """What the VM must show. `started_at` is ARM's time of the start (ISO), None when the app did not start it.

    `agent` is the image's tag `RefreshAgent`: True, the agent must report; False, no report proves nothing; None, it
    must report if it did before the swap (`agent_spoke`). `computer_names` are the names that this VM may have; empty:
    any. `probed` when the VM has a probe, `probe_answered` when the VM answered it before the stop. `app_healthy`
    unless Application Health reported otherwise before the stop. `counted` are the rungs that count.
    """

    started_at: str | None = None
    agent_spoke: bool = False
    agent: bool | None = None
    computer_names: tuple[str, ...] = ()
    data_disks: tuple[str, ...] = ()
    probed: bool = False
    probe_answered: bool = True
    app_healthy: bool = True
    counted: Collection[str] = OPTIONAL


@dataclass(frozen=True)
class Reading:
    """What was read of the VM at one time; None where nothing could be read.

    `probe` is the result of the last probe, `successes` how many in a row succeeded of the `needed`; `unprobed` when
    no probe could be sent. `log` is what the serial log shows of a failed boot.
    """

    vm: Vm
    probe: str | None = None
    successes: int = 0
    needed: int = SUCCESSES_NEEDED
    log: str | None = None
    log_read: bool = False
    resource: Report | None = None
    unprobed: bool = False


def judge_rungs(expected: Expected, reading: Reading) -> tuple[Rung, ...]:
    """The verdicts of every rung that counts and could be read."""
    return tuple(
        rung for rung in _all(expected, reading) if rung.name is RungName.POWER or rung.name in expected.counted
    )


def _all(expected: Expected, reading: Reading) -> Iterator[Rung]:
    vm = reading.vm
    yield judge_power(vm)
    yield judge_agent(vm, expected)
    if expected.computer_names and vm.guest.computer_name and _reported(vm, expected.started_at):
        yield judge_name(vm, expected.computer_names)
    if expected.probed:
        yield judge_probe(reading, answered_before=expected.probe_answered)
    if reading.log_read:
        yield judge_log(reading.log)
    if reading.resource is not None:
        yield judge_resource(reading.resource, expected.started_at)
    if vm.guest.application is not None:
        yield judge_application(vm.guest.application, expected.started_at, healthy_before=expected.app_healthy)
    if expected.data_disks:
        yield judge_data_disks(data_disks_of(vm.data_disks), expected.data_disks)


def judge_power(vm: Vm) -> Rung:
    """Whether the VM runs. A start that extensions hold (for up to 90 minutes) or fail is not the disk's fault."""
    seen = f"{vm.power}, provisioning {vm.provisioning_state or 'unknown'}"
    if vm.power is Power.RUNNING:
        return Rung(RungName.POWER, RungVerdict.AS_EXPECTED, seen)
    if vm.power.settled:
        return Rung(RungName.POWER, RungVerdict.FAILED, f"the VM stopped again: {seen}")
    return Rung(RungName.POWER, RungVerdict.PENDING, seen, required=True)


def judge_agent(vm: Vm, expected: Expected) -> Rung:
    """Whether the agent reported ready after the start; after power off and start Azure still shows the old report."""
    agent, required = vm.agent, expected.agent is True
    if agent is not None and _reported(vm, expected.started_at):
        return Rung(RungName.AGENT, RungVerdict.PROVED, f"ready at {agent.at}", required)
    seen = (
        "no report" if agent is None else f"{'ready' if agent.ready else 'not ready'} at {agent.at}, before the start"
    )
    if agent is not None and not agent.ready:
        seen = f"not ready at {agent.at}"
    against = against_of(RungName.AGENT, given_before=expected.agent_spoke)
    if required:
        return Rung(
            RungName.AGENT,
            RungVerdict.PENDING,
            f"{seen}; the image requires a report after the start (RefreshAgent)",
            required=True,
            against=against,
        )
    if not expected.agent_spoke:
        return Rung(RungName.AGENT, RungVerdict.NO_SIGNAL, f"{seen}; the agent did not report before the swap either")
    verdict = RungVerdict.SUSPECT if expected.agent is None else RungVerdict.PENDING
    return Rung(RungName.AGENT, verdict, seen, against=against)


def judge_name(vm: Vm, names: Collection[str]) -> Rung:
    """Whether the guest has one of the VM's names; one with another machine's name is a clone, whatever else works.

    A guest may rename itself, and reboot for it, at its first boot: another name counts when the time is up.
    """
    windows = (vm.os_type or "").lower() == "windows"
    reported = vm.guest.computer_name or ""
    if _short(reported, windows) in {_short(name, windows) for name in names}:
        return Rung(RungName.COMPUTER_NAME, RungVerdict.AS_EXPECTED, reported)
    return Rung(
        RungName.COMPUTER_NAME,
        RungVerdict.SUSPECT,
        f"the guest's name is {reported[:64]}, not {names_text(names)}: a clone",
        required=True,
        against=against_of(RungName.COMPUTER_NAME),
    )


def computer_names(vm: Vm) -> tuple[str, ...]:
    """The computer names that a guest of this VM may have: its name now, its name at creation, the VM's name.

    The name now counts because a guest that was renamed must be accepted when it is back on its old disk.
    """
    names = (vm.guest.computer_name, vm.guest.profile_name, vm.name)
    return tuple(dict.fromkeys(name for name in names if name))


def names_text(names: Collection[str]) -> str:
    """The names, for a sentence."""
    return " or ".join(dict.fromkeys(names))


def judge_probe(reading: Reading, *, answered_before: bool = True) -> Rung:
    """Whether the probe succeeded several times in a row: one answer may come from a guest that is shutting down.

    A probe that was not answered before the stop either, or that could not be sent, is no evidence against the disk.
    """
    seen = f"{reading.probe or 'not tried yet'} ({reading.successes} of {reading.needed} in a row)"
    if not answered_before:
        seen += "; it was not answered before the swap either"
    proved = reading.successes >= reading.needed
    verdict = RungVerdict.PROVED if proved else RungVerdict.PENDING
    against = against_of(RungName.PROBE, given_before=answered_before and not reading.unprobed)
    return Rung(RungName.PROBE, verdict, seen, required=True, against=against)


def _reported(vm: Vm, started_at: str | None) -> bool:
    agent = vm.agent
    return agent is not None and agent.ready and (started_at is None or times.not_before(agent.at, started_at))


def _short(name: str, windows: bool) -> str:
    # Linux agents may report a fully qualified name.
    short = name.split(".", 1)[0].lower()
    return short[:_WINDOWS_NAME_LENGTH] if windows else short
