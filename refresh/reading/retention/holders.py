"""Which of given disks and versions a tag, a swap or a build under way still needs.

Decides what counts as held. Does not know what is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from refresh.domain.retention.mentions import read_mentions


def held_among(disks: Iterable[str], book: Mapping[str, Any]) -> dict[str, str]:
    """Which of `disks` (ids) the dispatcher's `book` holds for somebody, and what for."""
    mentions = read_mentions((), book)
    whys = {disk: mentions.by_book(disk, disk.rsplit("/", 1)[-1]) for disk in disks}
    return {disk: why for disk, why in whys.items() if why is not None}
