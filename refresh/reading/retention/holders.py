"""Finds which of given disks a swap still needs, or is known to have used.

Leaves what counts to `domain.retention.mentions`. Does not know what is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable

from refresh.domain.retention.mentions import read_mentions
from refresh.records.dispatcher_state import DispatcherState


def held_among(disks: Iterable[str], state: DispatcherState) -> dict[str, str]:
    """Which of `disks` (ids) the dispatcher's state refers to, and why each must stay."""
    mentions = read_mentions((), state.json)
    reasons = {disk: mentions.by_dispatcher(disk, disk.rsplit("/", 1)[-1]) for disk in disks}
    return {disk: why for disk, why in reasons.items() if why is not None}
