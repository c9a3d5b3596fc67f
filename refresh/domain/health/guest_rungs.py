"""What each rung of the health ladder makes of one reading.

Decides per rung what counts for the VM, against it, or not at all. Refuses to know how the rungs weigh together
(`health`) and how a reading was made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from refresh.domain.azure.data_disks import data_disks_of
from refresh.domain.azure.guests import Report
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.health.ladder import OPTIONAL, Rung, RungName, RungVerdict
from refresh.domain.health.platform_rungs import judge_application, judge_data_disks, judge_log, judge_resource
from refresh.domain.terms import times

# NetBIOS: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcompute
_WINDOWS_NAME_LENGTH = 15


@dataclass(frozen=True)
class Expected:
    """What the VM must show. `started_at` is ARM's time of the start (ISO), None when this app did not start it.

    `agent` is the image owner's word: True, the agent must report; False, its silence says nothing; None, it must if
    it had reported before (`agent_spoke`). `computer_names` are the names this VM goes by; empty: any. `probed` when
    its owner asks for a probe. `counted` are the rungs that count.
    """

    started_at: str | None = None
    agent_spoke: bool = False
    agent: bool | None = None
    computer_names: tuple[str, ...] = ()
    data_disks: tuple[str, ...] = ()
    probed: bool = False
    counted: Collection[str] = OPTIONAL


@dataclass(frozen=True)
class Reading:
    """What was seen of the VM at one moment; None where nothing was to be had.

    `probe` is what the last probe saw, `successes` how many in a row succeeded of the `needed`.
    """

    vm: Vm
    probe: str | None = None
    successes: int = 0
    needed: int = 3
    log: str | None = None
    log_read: bool = False
    resource: Report | None = None


def climb(expected: Expected, reading: Reading) -> tuple[Rung, ...]:
    """Every rung that counts and has something to say."""
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
        yield judge_probe(reading)
    if reading.log_read:
        yield judge_log(reading.log)
    if reading.resource is not None:
        yield judge_resource(reading.resource, expected.started_at)
    if vm.guest.application is not None:
        yield judge_application(vm.guest.application, expected.started_at)
    if expected.data_disks:
        yield judge_data_disks(data_disks_of(vm.data_disks), expected.data_disks)


def judge_power(vm: Vm) -> Rung:
    """Running is enough to go on: a start that extensions hold (for up to 90 minutes), or that one of them failed,
    says nothing about the disk.
    """
    seen = f"{vm.power}, provisioning {vm.provisioning_state or 'unknown'}"
    if vm.power is Power.RUNNING:
        return Rung(RungName.POWER, RungVerdict.FITS, seen)
    if vm.power.settled:
        return Rung(RungName.POWER, RungVerdict.CONDEMNS, f"the VM stopped again: {seen}")
    return Rung(RungName.POWER, RungVerdict.WAITS, seen, required=True)


def judge_agent(vm: Vm, expected: Expected) -> Rung:
    """Ready with a time after the start: after power off and start the old report is still shown."""
    agent, required = vm.agent, expected.agent is True
    if agent is not None and _reported(vm, expected.started_at):
        return Rung(RungName.AGENT, RungVerdict.PROVES, f"ready at {agent.at}", required)
    seen = (
        "no report" if agent is None else f"{'ready' if agent.ready else 'not ready'} at {agent.at}, before the start"
    )
    if agent is not None and not agent.ready:
        seen = f"not ready at {agent.at}"
    if required:
        return Rung(RungName.AGENT, RungVerdict.WAITS, f"{seen}; the image promises one (RefreshAgent)", required=True)
    if not expected.agent_spoke:
        return Rung(RungName.AGENT, RungVerdict.QUIET, f"{seen}; none was heard before the swap")
    return Rung(RungName.AGENT, RungVerdict.DOUBTS if expected.agent is None else RungVerdict.WAITS, seen)


def judge_name(vm: Vm, names: Collection[str]) -> Rung:
    """A guest that kept another machine's name is a clone, whatever else works."""
    windows = (vm.os_type or "").lower() == "windows"
    said = vm.guest.computer_name or ""
    if _short(said, windows) in {_short(name, windows) for name in names}:
        return Rung(RungName.COMPUTER_NAME, RungVerdict.FITS, said)
    return Rung(
        RungName.COMPUTER_NAME,
        RungVerdict.CONDEMNS,
        f"the guest calls itself {said[:64]}, not {names_text(names)}: a clone",
    )


def computer_names(vm: Vm) -> tuple[str, ...]:
    """The names a guest of this VM may call itself: what it is called now, was created as, or the VM's own.

    What it is called now counts, because a machine that its owner has renamed must be itself on its old disk again.
    """
    names = (vm.guest.computer_name, vm.guest.profile_name, vm.name)
    return tuple(dict.fromkeys(name for name in names if name))


def names_text(names: Collection[str]) -> str:
    """The names a VM goes by, for a sentence."""
    return " or ".join(dict.fromkeys(names))


def judge_probe(reading: Reading) -> Rung:
    """Several answers in a row: one may come from a guest that is still on its way down."""
    seen = f"{reading.probe or 'not tried yet'} ({reading.successes} of {reading.needed} in a row)"
    proves = reading.successes >= reading.needed
    return Rung(RungName.PROBE, RungVerdict.PROVES if proves else RungVerdict.WAITS, seen, required=True)


def _reported(vm: Vm, started_at: str | None) -> bool:
    agent = vm.agent
    return agent is not None and agent.ready and (started_at is None or times.not_before(agent.at, started_at))


def _short(name: str, windows: bool) -> str:
    # Linux agents may report a fully qualified name.
    short = name.split(".", 1)[0].lower()
    return short[:_WINDOWS_NAME_LENGTH] if windows else short
