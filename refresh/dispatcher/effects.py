"""One operation on the dispatcher's book: what it changes, answers, starts and logs (`loud` lines as errors)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Turn:
    """What one operation did: the new state, the answer, what to start, what to log."""

    state: Json
    answer: Any = None
    starts: list[tuple[str, str, Json]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    loud: list[str] = field(default_factory=list)
