"""The health ladder: independent signals (rungs) about a started VM, and the verdict of all of them together.

Decides when a VM is proved healthy, unhealthy, or running without proof. Does not know what a rung reads
(`guest_rungs.py`, `platform_rungs.py`). Only a signal from the guest proves health; the platform can only prove
failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from refresh.domain.azure.polls import QUIET_GUEST_S
from refresh.domain.terms.verdict import Move, StepVerdict


class RungVerdict(StrEnum):
    """The verdict of one rung. The values are stored in outcomes."""

    PROVED = "proves"
    """The guest itself shows that it is healthy."""
    AS_EXPECTED = "fits"
    """As expected, which proves nothing."""
    NO_SIGNAL = "quiet"
    """No signal, and none is required."""
    PENDING = "waits"
    """Not yet as required; it may still become so."""
    SUSPECT = "doubts"
    """Against the VM, unless another rung proves its health before the timeout."""
    FAILED = "condemns"
    """Unhealthy; the timeout is not waited for."""


class Against(StrEnum):
    """When a rung that is against the VM is evidence against its OS disk."""

    NEVER = "never"
    """Others can cause it: a person, the platform, the owner of a data disk."""
    AT_ONCE = "at-once"
    """The guest itself shows that it failed."""
    AFTER_HEALTH_TIME = "after-health-time"
    """It may still change while the guest boots, renames or reboots itself."""


class RungName(StrEnum):
    """The names of rungs in settings and outcomes. Power always counts; a setting chooses among the others."""

    POWER = "power"
    AGENT = "agent"
    COMPUTER_NAME = "computer-name"
    PROBE = "probe"
    BOOT_LOG = "boot-log"
    RESOURCE_HEALTH = "resource-health"
    APPLICATION_HEALTH = "application-health"
    DATA_DISKS = "data-disks"


OPTIONAL = tuple(name for name in RungName if name is not RungName.POWER)


@dataclass(frozen=True)
class Rung:
    """One rung: its verdict, what was seen, and whether health is not proved before the rung is satisfied.

    `against` is when the rung, where it is not satisfied, is evidence against the VM's OS disk.
    """

    name: RungName
    verdict: RungVerdict
    seen: str
    required: bool = False
    against: Against = Against.NEVER

    @property
    def open(self) -> bool:
        """Whether the rung is required and not satisfied yet."""
        return self.required and self.verdict not in (RungVerdict.PROVED, RungVerdict.AS_EXPECTED)


def judge_health(rungs: Sequence[Rung], elapsed_s: float, timeout_s: float, *, whole_time: bool = True) -> StepVerdict:
    """The verdict of all rungs, `elapsed_s` seconds after the step began: proved, failed, wait, or running unproved.

    Failed at once by any rung with `FAILED`; at the timeout by a required rung that is not satisfied, or by a suspect
    one that no proof outweighs. `whole_time`: the VM has run undisturbed for the whole health time, so that what its
    guest has not shown counts against its disk.
    """
    failed = next((rung for rung in rungs if rung.verdict is RungVerdict.FAILED), None)
    if failed is not None:
        return StepVerdict(
            Move.FAILED, _text([failed]), blames=_is_disk_to_blame([failed], rungs, whole_time=whole_time)
        )
    proofs = [rung for rung in rungs if rung.verdict is RungVerdict.PROVED]
    still_open = [rung for rung in rungs if rung.open]
    if proofs and not still_open:
        return StepVerdict(Move.DONE, _text(proofs), proved=True)
    pending = [rung for rung in rungs if rung.verdict in (RungVerdict.PENDING, RungVerdict.SUSPECT)]
    if elapsed_s < (timeout_s if pending else min(QUIET_GUEST_S, timeout_s)):
        return StepVerdict(Move.WAIT, _text(pending or rungs))
    against = still_open or [rung for rung in rungs if rung.verdict is RungVerdict.SUSPECT]
    if against:
        return StepVerdict(Move.FAILED, _text(against), blames=_is_disk_to_blame(against, rungs, whole_time=whole_time))
    return StepVerdict(Move.DONE, f"running, guest not proven: {_text(rungs)}")


def _is_disk_to_blame(against: Sequence[Rung], rungs: Sequence[Rung], *, whole_time: bool) -> bool:
    """Whether one of these rungs is evidence against the disk. Silence is none while the platform reports a fault."""
    if any(rung.against is Against.AT_ONCE for rung in against):
        return True
    at_fault = any(rung.name is RungName.RESOURCE_HEALTH and rung.verdict is RungVerdict.SUSPECT for rung in rungs)
    return whole_time and not at_fault and any(rung.against is Against.AFTER_HEALTH_TIME for rung in against)


def _text(rungs: Sequence[Rung]) -> str:
    return "; ".join(f"{rung.name}: {rung.seen}" for rung in rungs)
