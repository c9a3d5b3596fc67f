"""Durations of Azure's operations.

Decides the distribution for each kind of work: seconds between an operation's start and end time, recorded from the
real ARM between 2023 and 2025 (single older outliers are kept where nothing newer was slower). Does not know what the
work does.
"""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

# kind -> ((share of operations at most that long, seconds), ...); between two points the logarithm is
# interpolated. A row without a 0.9 point has no recording of it.
_QUANTILES: dict[str, tuple[tuple[float, float], ...]] = {
    "deallocate": ((0, 9.9), (0.5, 25.6), (0.9, 36.5), (1, 288)),
    "powerOff": ((0, 3.5), (0.5, 8.7), (0.9, 17.1), (1, 21.9)),
    "start": ((0, 7.9), (0.5, 12.6), (0.9, 13.7), (1, 29.5)),
    "startStopped": ((0, 2.8), (0.5, 5.5), (1, 12.5)),
    "restart": ((0, 34.9), (0.5, 42.4), (0.9, 50.9), (1, 188)),
    "redeploy": ((0, 90), (0.5, 132), (1, 200)),  # one recording: 132 s
    "reapply": ((0, 2.9), (0.5, 5.2), (0.9, 8.8), (1, 61.5)),  # not recorded: the values of a PATCH
    "swap": ((0, 2.5), (0.5, 2.8), (0.9, 9.7), (1, 16.2)),
    "updateDeallocated": ((0, 0.6), (0.5, 0.9), (0.99, 5), (1, 121)),
    "update": ((0, 2.9), (0.5, 5.2), (0.9, 8.8), (1, 61.5)),
    "create": ((0, 16), (0.5, 122), (0.9, 380), (1, 1964)),
    "delete": ((0, 0.1), (0.5, 34), (0.9, 143), (1, 2826)),
    "diskFromGallery": ((0, 0.3), (0.5, 0.7), (0.9, 0.9), (0.99, 1.0), (1, 21.7)),
    "diskFromPlatformImage": ((0, 0.3), (0.5, 1.3), (0.9, 76.7), (1, 1082)),
    "diskCopy": ((0, 0.1), (0.5, 0.7), (0.9, 0.9), (1, 2.0)),
    "diskEmpty": ((0, 0.1), (0.5, 0.1), (0.9, 0.9), (1, 2.0)),
    "diskImport": ((0, 0.1), (0.5, 0.9), (1, 2.0)),
    "diskUpdate": ((0, 0.1), (0.5, 0.1), (0.9, 1.8), (1, 24)),
    "diskDelete": ((0, 0.1), (0.5, 0.2), (0.9, 0.4), (1, 4.9)),
    "snapshotCreate": ((0, 0.1), (0.5, 0.7), (0.9, 2.1), (1, 29)),
    "snapshotUpdate": ((0, 0.1), (0.5, 0.1), (0.9, 1.8), (1, 24)),  # few recordings: the values of a disk
    "imageCreate": ((0, 5.0), (0.5, 5.2), (0.9, 10.2), (1, 25)),
    "gallery": ((0, 0.05), (0.5, 0.2), (0.9, 0.4), (1, 3.5)),
    "definition": ((0, 0.05), (0.5, 0.1), (0.9, 0.2), (1, 3.5)),
    "versionFromVm": ((0, 383), (0.5, 426), (0.9, 488), (1, 541)),
    "versionFromImage": ((0, 361), (0.5, 428), (0.9, 472), (1, 533)),
    "versionFromDisk": ((0, 361), (0.5, 443), (0.9, 505), (1, 586)),
    "versionShallow": ((0, 30), (0.5, 45), (0.9, 48), (1, 60)),
    "versionUpdate": ((0, 150), (0.5, 150), (0.9, 421), (1, 736)),
    "versionDelete": ((0, 90), (0.5, 91), (0.9, 150), (1, 150)),
    "extension": ((0, 10), (0.5, 40), (1, 300)),  # not recorded: an estimate for installing an agent
    "cloudInit": ((0, 20), (0.5, 75), (1, 240)),  # not recorded: an estimate for installing a few packages
    "agentReady": ((0, 26), (0.5, 40), (1, 69)),  # from boot to the guest agent's first Ready, six recordings
}

KINDS = frozenset(_QUANTILES)


def draw(kind: str, random: Random) -> float:
    """A duration in seconds for one piece of work of `kind`; KeyError for a kind without a recording."""
    points = _QUANTILES[kind]
    share = random.random()
    for (low_share, low), (high_share, high) in pairwise(points):
        if share <= high_share:
            along = (share - low_share) / (high_share - low_share)
            drawn = math.exp(math.log(low) + along * (math.log(high) - math.log(low)))
            return min(max(drawn, low), high)
    return points[-1][1]
