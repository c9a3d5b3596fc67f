"""The verdict on a step of a swap after its VM was read: begin, wait, done or failed, and what was seen."""

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
    """The next move and what was seen; `proved` when a signal from the guest itself shows that it is healthy.

    `blames`: the step failed, and what was seen is evidence against the VM's OS disk.
    """

    move: Move
    seen: str
    proved: bool = False
    blames: bool = False
