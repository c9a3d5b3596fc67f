"""What a reading of a step's VM means: go on, begin, done or failed, and what was seen.

Decides the words only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Move(StrEnum):
    """What to do next."""

    DONE = "done"
    WAIT = "wait"
    BEGIN = "begin"
    FAILED = "failed"


@dataclass(frozen=True)
class StepVerdict:
    """The next move and what was seen; `proved` when a signal from the guest itself says it is well."""

    move: Move
    seen: str
    proved: bool = False
