"""The health ladder: rungs that each say something of a started VM, and what they say together.

Decides when a VM is proved well, condemned, or runs with nothing proved. Refuses to know what a rung looks at
(`health_rungs`) and how it was read. Only a signal from the guest itself proves; what the platform sees can condemn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from refresh.domain.terms.verdict import Move, StepVerdict

# A guest that has never been heard of is watched this long for a word and for a boot that fails: six recorded agents
# reported 26 to 69 s after the boot.
QUIET_S = 90.0


class RungVerdict(StrEnum):
    """What a rung says of the VM."""

    PROVES = "proves"
    """A signal from the guest itself: it is well."""
    FITS = "fits"
    """As it should be, which proves nothing."""
    QUIET = "quiet"
    """Nothing heard, and nothing promised to be."""
    WAITS = "waits"
    """Not there yet, but it may come."""
    DOUBTS = "doubts"
    """Against the VM, if nothing proves it well until the time is over."""
    CONDEMNS = "condemns"
    """Unhealthy, at once."""


class RungName(StrEnum):
    """The rungs, as settings and outcomes name them. Power always counts; the others are a setting."""

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
    """One rung: what it says, what was seen, and whether there is no green while it is against the VM."""

    name: RungName
    says: RungVerdict
    seen: str
    required: bool = False

    @property
    def open(self) -> bool:
        """Whether a promise of this rung has not been kept yet."""
        return self.required and self.says not in (RungVerdict.PROVES, RungVerdict.FITS)


def judge_health(rungs: Sequence[Rung], elapsed_s: float, timeout_s: float) -> StepVerdict:
    """What all rungs say `elapsed_s` seconds after the step began: proved, condemned, wait, or runs with no proof.

    Condemned at once by any rung that can; at the timeout by an open promise, or by a doubt that no proof outweighs.
    """
    condemned = next((rung for rung in rungs if rung.says is RungVerdict.CONDEMNS), None)
    if condemned is not None:
        return StepVerdict(Move.FAILED, _told([condemned]))
    proofs = [rung for rung in rungs if rung.says is RungVerdict.PROVES]
    still_open = [rung for rung in rungs if rung.open]
    if proofs and not still_open:
        return StepVerdict(Move.DONE, _told(proofs), proved=True)
    pending = [rung for rung in rungs if rung.says in (RungVerdict.WAITS, RungVerdict.DOUBTS)]
    if elapsed_s < (timeout_s if pending else min(QUIET_S, timeout_s)):
        return StepVerdict(Move.WAIT, _told(pending or rungs))
    against = still_open or [rung for rung in rungs if rung.says is RungVerdict.DOUBTS]
    if against:
        return StepVerdict(Move.FAILED, _told(against))
    return StepVerdict(Move.DONE, f"running, guest not proven: {_told(rungs)}")


def _told(rungs: Sequence[Rung]) -> str:
    return "; ".join(f"{rung.name}: {rung.seen}" for rung in rungs)
