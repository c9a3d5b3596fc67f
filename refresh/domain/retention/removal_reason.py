"""Every reason why a disk or an image version that the app made is deleted or stays.

Decides the codes, which results, logs and the API show unchanged. The sentence beside a code is written where the
code is used, because it names the resources. The reasons of swaps are in `terms.swap_reason`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RemovalReason(StrEnum):
    """Why a resource can be deleted, stays, or was not deleted. Results show the value; its meaning never changes."""

    # Why it can be deleted.
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

    # How a deletion ended.
    DELETED = "deleted"
    AZURE_SAID_NO = "azure-said-no"
    NOT_READ = "not-read"
    TIMED_OUT = "timed-out"
    BROKEN = "broken"


@dataclass(frozen=True)
class RemovalVerdict:
    """Whether a resource can be deleted: `SUPERFLUOUS`, or why it stays, with one sentence for people."""

    reason: RemovalReason
    message: str

    @property
    def deletable(self) -> bool:
        """Whether there is no reason to keep it."""
        return self.reason is RemovalReason.SUPERFLUOUS
