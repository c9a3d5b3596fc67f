"""When to read again what Azure has under way on a VM.

Decides the pause before the next read from how long the work has been under way and how many reads Azure has left for
the app. Does not know what is read. `docs/performance.md` has the arithmetic, `polls.py` the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.polls import (
    ENOUGH_OF_RESOURCE,
    ENOUGH_OF_SUBSCRIPTION,
    GROWTH,
    LONGEST_S,
    SELDOM_FROM_S,
    SELDOM_S,
)


@dataclass(frozen=True)
class ReadsLeft:
    """The number of reads that Azure still accepts at once, by its last answer; None where the answer has no number.

    `of_resource` counts reads of the same resource, `of_subscription` those of anything in its subscription.
    """

    of_resource: int | None = None
    of_subscription: int | None = None


READS_UNKNOWN = ReadsLeft()


def choose_pause_s(under_way_s: float, shortest_s: float, left: ReadsLeft = READS_UNKNOWN) -> float:
    """Seconds until the next read of what has been under way for `under_way_s` seconds; at least `shortest_s`."""
    longest_s = max(shortest_s, LONGEST_S if under_way_s < SELDOM_FROM_S else SELDOM_S)
    pause_s = max(shortest_s, under_way_s * GROWTH) * _scarcity(left)
    return min(pause_s, longest_s)


def _scarcity(left: ReadsLeft) -> float:
    return max(
        1.0,
        _times_too_few(left.of_resource, ENOUGH_OF_RESOURCE),
        _times_too_few(left.of_subscription, ENOUGH_OF_SUBSCRIPTION),
    )


def _times_too_few(left: int | None, enough: int) -> float:
    return 0.0 if left is None else enough / max(left, 1)
