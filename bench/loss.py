"""Where a swap's downtime goes beyond Azure's own work: polls, hand-overs, and whatever is left.

Decides the parts from what Azure saw: its operations on the VM, the reads of their state, and the time the VM was down.
Does not know who swapped it or how.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise


@dataclass(frozen=True)
class Span:
    """One operation of Azure: from the time it was accepted until it ended."""

    started: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        """How long it took, in seconds."""
        return _seconds(self.started, self.ended)


@dataclass(frozen=True)
class Loss:
    """Seconds of one VM's downtime.

    `work_s` is Azure's own. `polls_s` and `hand_overs_s` have a number for each pair of operations that follow each
    other: how long the first had ended when a read first saw it, and how long it took from that read until the second
    was accepted. `other_s` is what remains of `down_s`.
    """

    down_s: float
    work_s: float
    polls_s: tuple[float, ...]
    hand_overs_s: tuple[float, ...]

    @property
    def other_s(self) -> float:
        """What is neither work, nor poll, nor hand-over."""
        return self.down_s - self.work_s - sum(self.polls_s) - sum(self.hand_overs_s)

    @property
    def ratio(self) -> float:
        """Downtime over Azure's own work."""
        return self.down_s / self.work_s


def split_downtime(down_s: float, operations: Sequence[Span], reads: Iterable[datetime]) -> Loss:
    """Split `down_s` seconds of downtime along `operations`, in their order; `reads` are those of the VM's state.

    An operation that no read follows before the next one is accepted costs no poll: the whole gap is a hand-over.
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
