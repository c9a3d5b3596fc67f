"""Splits a swap's downtime beyond Azure's own work into polls, hand-overs and the rest.

Decides the parts from Azure's record: its operations on the VM, the reads of their state, and the time the VM was down.
Does not know who swapped the VM or how.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise


@dataclass(frozen=True)
class Span:
    """One operation of Azure, from acceptance to end."""

    started: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return _seconds(self.started, self.ended)


@dataclass(frozen=True)
class Loss:
    """Seconds of one VM's downtime.

    `work_s` is Azure's own work. `polls_s` and `hand_overs_s` have one number for each pair of consecutive operations:
    the time from the end of the first until a read saw that end, and from that read until the second was accepted.
    `other_s` is the rest of `down_s`.
    """

    down_s: float
    work_s: float
    polls_s: tuple[float, ...]
    hand_overs_s: tuple[float, ...]

    @property
    def other_s(self) -> float:
        """Downtime that is neither work, nor poll, nor hand-over."""
        return self.down_s - self.work_s - sum(self.polls_s) - sum(self.hand_overs_s)

    @property
    def ratio(self) -> float:
        """Downtime divided by Azure's own work."""
        return self.down_s / self.work_s


def split_downtime(down_s: float, operations: Sequence[Span], reads: Iterable[datetime]) -> Loss:
    """Split `down_s` seconds of downtime by `operations`, in their order; `reads` are the reads of the VM's state.

    Where no read lies between two operations, the poll is 0 and the whole gap counts as hand-over.
    """
    seen = sorted(reads)
    polls, hand_overs = [], []
    for before, after in pairwise(operations):
        first = next((at for at in seen if before.ended <= at <= after.started), before.ended)
        polls.append(_seconds(before.ended, first))
        hand_overs.append(_seconds(first, after.started))
    return Loss(down_s, sum(one.seconds for one in operations), tuple(polls), tuple(hand_overs))


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()
