"""The state of a build VM: made, working, done or failed.

Decides from one reading of the VM and from its serial log; like the steps of a swap it needs no earlier reading. Does
not know how a VM is read or what is done next.
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
# A line of the finishing script itself: a service's line has the service's name in front.
_RESULT = re.compile(rf"^(?:{MARKER}|{FAILED})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Machine:
    """A temporary VM of the app. `failure` is Azure's code and message where an operation on it failed."""

    id: str
    provisioning_state: str | None
    power: Power
    failure: tuple[str, str] | None = None
    generalized: bool = False
    unique_id: str | None = None
    read_at: str | None = None


@dataclass(frozen=True)
class BuildStanding:
    """The next move, with a reason and a sentence when it is FAILED."""

    move: Move
    message: str = ""
    reason: MonthReason = MonthReason.BUILD_FAILED
    code: str | None = None


def judge_made(vm: Machine | None) -> BuildStanding:
    """Whether the VM is made; with `None` there is none yet and the move is BEGIN."""
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
    """Whether the machine has powered itself off, which it does when cloud-init has ended."""
    if vm is None:
        return BuildStanding(Move.FAILED, "the VM does not exist any more; it was deleted from outside")
    if vm.power is Power.STOPPED:
        return BuildStanding(Move.DONE)
    if vm.power is Power.DEALLOCATED:
        return BuildStanding(Move.FAILED, "the VM was deallocated from outside before it was done")
    if waited_s >= timeout_s:
        limit = f"within {timeout_s / 60:.0f} minutes ([build] timeout_minutes)"
        message = f"the VM has not powered itself off {limit}; last read after {waited_s / 60:.0f} minutes"
        return BuildStanding(Move.FAILED, message, MonthReason.BUILD_TIMED_OUT)
    return BuildStanding(Move.WAIT, f"the VM is {vm.power}")


def judge_log(log: str | None) -> BuildStanding:
    """Whether the recipe succeeded, from a powered-off machine's serial log. Without the marker it failed."""
    if log is None:
        return BuildStanding(Move.FAILED, "the serial log could not be read", MonthReason.NO_MARKER)
    results = _RESULT.findall(log.replace("\r", ""))
    if results and results[-1].strip() == MARKER:
        return BuildStanding(Move.DONE)
    why = "cloud-init reported errors" if results else f"the serial log has no line {MARKER}"
    return BuildStanding(Move.FAILED, f"the VM powered itself off, but {why}", MonthReason.NO_MARKER)


def tail_of(log: str | None) -> tuple[str, ...]:
    """The last lines of a serial log, for people; without control characters."""
    lines = ["".join(char for char in line if char.isprintable()) for line in (log or "").splitlines()]
    return tuple(line[:_TAIL_WIDTH] for line in lines if line.strip())[-TAIL_LINES:]
