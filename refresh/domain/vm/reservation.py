"""Whether a free disk is kept for the VM that ran it before: its way back.

Decides how long. Does not know how the VM is found.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import times

_DAY_S = 86400.0


@dataclass(frozen=True)
class Hold:
    """What is recorded of the VM whose `OsDiskPrevious` names the disk.

    `since` is when its present disk was proved, or its last swap ended (ISO); `unproven`: that disk is not proved yet.
    """

    since: str | None = None
    unproven: bool = False


@dataclass(frozen=True)
class Reservation:
    """A disk that is kept for VM `vm_id`, and until when, as a part of a sentence."""

    vm_id: str
    until: str


def judge_hold(disk: Disk, holder: Vm, hold: Hold, now: str | None, days: int) -> Reservation | None:
    """The reservation of `disk`, which `OsDiskPrevious` of `holder` names, at time `now`; None when it is over.

    Without a record the time since the disk's owner changed counts; an unknown time keeps the disk.
    """
    if hold.unproven or holder.own_tags.open_intent is not None:
        return Reservation(holder.id, "until its new disk is proved")
    if not days:
        return None
    age_s = times.seconds_between(hold.since or disk.owned_since, now)
    if age_s is not None and age_s >= days * _DAY_S:
        return None
    return Reservation(holder.id, f"for {days} days after its new disk was proved")
