"""Every reason why something the app once made is deleted or stays; those of swaps are in `reason`.

Decides the codes that travel unchanged into results, logs and API, and what a verdict is. The sentence that goes with a
code is made where it is used, because it names the things at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RemovalReason(StrEnum):
    """Why. The value is what people see; it never changes its meaning."""

    # Why it may be deleted.
    SUPERFLUOUS = "superfluous"

    # Why it stays, whatever it is.
    NOT_SETTLED = "not-settled"
    NAME_NOT_OURS = "name-not-ours"
    LOCKED = "locked"
    TOO_YOUNG = "too-young"
    UNKNOWN_AGE = "unknown-age"
    AMONG_NEWEST = "among-newest"

    # Why a disk stays.
    NOT_FROM_OURS = "not-from-our-galleries"
    IN_USE = "in-use"
    RECENTLY_IN_USE = "recently-in-use"
    NAMED_BY_TAG = "named-by-tag"
    REMEMBERED = "remembered"

    # Why an image version stays.
    LATEST_GOOD = "latest-good"
    BUILD_UNDER_WAY = "build-under-way"
    IS_SOURCE = "is-source"
    DISKS_LEFT = "disks-left"

    # What became of a deletion.
    DELETED = "deleted"
    AZURE_SAID_NO = "azure-said-no"
    NOT_READ = "not-read"
    TIMED_OUT = "timed-out"
    BROKEN = "broken"


@dataclass(frozen=True)
class RemovalVerdict:
    """Whether something may be deleted: `SUPERFLUOUS`, or why it stays, and one sentence about that."""

    reason: RemovalReason
    message: str

    @property
    def deletable(self) -> bool:
        """Whether nothing speaks for keeping it."""
        return self.reason is RemovalReason.SUPERFLUOUS
