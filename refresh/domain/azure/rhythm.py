"""When to look again at what Azure has under way on a VM.

Decides the pause before the next look from how long the work has been under way and how many reads Azure has left for
us. Does not know what is looked at and what comes of it. `docs/performance.md` has the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

# A look comes late by at most this share of the time that has passed, however long an operation takes.
GROWTH = 0.05
LONGEST_S = 5.0
# Longer than anything usual: seconds do not matter any more.
SELDOM_FROM_S, SELDOM_S = 300.0, 15.0

# Below these the pause grows: an empty bucket answers 429, and a wait that Azure sets is longer than any of ours.
# Compute holds 36 GETs of a VM and refills 12 a minute, 45 GETs of an operation's status and 15 a minute:
# https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits
ENOUGH_OF_RESOURCE = 12
# ARM holds 250 reads of an app in a subscription and refills 25 a second, for all its VMs together:
# https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
ENOUGH_OF_SUBSCRIPTION = 100


@dataclass(frozen=True)
class ReadsLeft:
    """How many reads more Azure takes from us at once, as its last answer said; None where it did not say.

    `of_resource` are those of the same resource, `of_subscription` those of anything in its subscription.
    """

    of_resource: int | None = None
    of_subscription: int | None = None


NOT_SAID = ReadsLeft()


def choose_pause_s(under_way_s: float, shortest_s: float, left: ReadsLeft = NOT_SAID) -> float:
    """Seconds until the next look at what has been under way for `under_way_s` seconds, at least `shortest_s`."""
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
