"""How the VM of a build stands: made, working, done, or never to be done.

Decides from one reading of the VM and from its serial log. Level-triggered like the steps of a swap: a reading says it
all. Refuses to know how a VM is read and what is done about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from refresh.domain.azure.vms import Power
from refresh.domain.recipes.custom_data import FAILED, MARKER
from refresh.domain.terms.month_reason import MonthReason
from refresh.domain.terms.verdict import Move

TAIL_LINES = 12
_TAIL_WIDTH = 160
# The machine's own line, not one that a service printed with its name in front.
_SAID = re.compile(rf"^(?:{MARKER}|{FAILED})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Machine:
    """A VM of ours that exists for a while. `failure` is Azure's code and message where an operation on it failed."""

    id: str
    provisioning_state: str | None
    power: Power
    failure: tuple[str, str] | None = None
    generalized: bool = False
    unique_id: str | None = None
    read_at: str | None = None


@dataclass(frozen=True)
class BuildStanding:
    """The next move, with the reason and the sentence that go with it when it is FAILED."""

    move: Move
    message: str = ""
    reason: MonthReason = MonthReason.BUILD_FAILED
    code: str | None = None


def judge_made(vm: Machine | None) -> BuildStanding:
    """Whether the VM has come to be; `None`: there is none yet, begin."""
    if vm is None:
        return BuildStanding(Move.BEGIN)
    if vm.provisioning_state in ("Creating", "Updating"):
        return BuildStanding(Move.WAIT, "the VM is still being made")
    if vm.provisioning_state == "Succeeded":
        return BuildStanding(Move.DONE)
    if vm.failure is not None:
        code, message = vm.failure
        return BuildStanding(Move.FAILED, f"the VM could not be made: {code}: {message}", code=code)
    return BuildStanding(Move.FAILED, f"the VM is {vm.provisioning_state or 'in an unknown state'}")


def judge_powered_off(vm: Machine | None, waited_s: float, timeout_s: float) -> BuildStanding:
    """Whether the machine has powered itself off, which is how it says that cloud-init is over."""
    if vm is None:
        return BuildStanding(Move.FAILED, "the VM is not there any more; somebody deleted it")
    if vm.power is Power.STOPPED:
        return BuildStanding(Move.DONE)
    if vm.power is Power.DEALLOCATED:
        return BuildStanding(Move.FAILED, "the VM was deallocated from outside before it was done")
    if waited_s >= timeout_s:
        limit = f"within {timeout_s / 60:.0f} minutes ([build] timeout_minutes)"
        message = f"the VM has not powered itself off {limit}; looked at after {waited_s / 60:.0f}"
        return BuildStanding(Move.FAILED, message, MonthReason.BUILD_TIMED_OUT)
    return BuildStanding(Move.WAIT, f"the VM is {vm.power}")


def judge_log(log: str | None) -> BuildStanding:
    """What a powered-off machine's serial log says of the recipe. No marker is no success, whatever else it says."""
    if log is None:
        return BuildStanding(Move.FAILED, "the serial log could not be read", MonthReason.NO_MARKER)
    said = _SAID.findall(log.replace("\r", ""))
    if said and said[-1].strip() == MARKER:
        return BuildStanding(Move.DONE)
    why = "cloud-init reported errors" if said else f"the serial log has no line {MARKER}"
    return BuildStanding(Move.FAILED, f"the VM powered itself off, but {why}", MonthReason.NO_MARKER)


def tail_of(log: str | None) -> tuple[str, ...]:
    """The last lines of a serial log, for a person to read; control characters are taken out."""
    lines = ["".join(char for char in line if char.isprintable()) for line in (log or "").splitlines()]
    return tuple(line[:_TAIL_WIDTH] for line in lines if line.strip())[-TAIL_LINES:]
