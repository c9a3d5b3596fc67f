"""Deliberate delays, duplicates and reordering of events.

Decides how late, how often and in which casing an event is sent. Does not send it. Event Grid guarantees at least one
delivery and no order, and the casing of ids in events differs between samples.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

_HELD_BACK_S = (1.0, 5.0)
_DUPLICATE_LATER_S = (0.0, 10.0)


@dataclass(frozen=True)
class Chaos:
    """`delay_s` is the largest delay, drawn evenly. `duplicates` and `reorder` are the probabilities (0 to 1) that an
    event comes twice, or is held back long enough to be overtaken. `seed` makes the draws repeatable."""

    delay_s: float = 0
    duplicates: float = 0
    reorder: float = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.delay_s < 0:
            raise ValueError(f"delay_s must not be negative: {self.delay_s}")
        for name in ("duplicates", "reorder"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be a probability from 0 to 1: {getattr(self, name)}")

    @property
    def quiet(self) -> bool:
        """Whether there is no delay, duplicate or reordering."""
        return not (self.delay_s or self.duplicates or self.reorder)


class ChaosDraws:
    """The random draws for one Chaos, in order."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos
        self._random = random.Random(chaos.seed)  # noqa: S311 - repeatable on purpose

    def delays_s(self) -> list[float]:
        """Seconds until one event is sent; two numbers when it is sent twice."""
        late_s = self._random.uniform(0, self._chaos.delay_s)
        if self._random.random() < self._chaos.reorder:
            late_s += self._random.uniform(*_HELD_BACK_S)
        if self._random.random() < self._chaos.duplicates:
            return [late_s, late_s + self._random.uniform(*_DUPLICATE_LATER_S)]
        return [late_s]

    def recased(self, resource_id: str) -> str:
        """`resource_id` in one of the casings seen in real events; unchanged without chaos."""
        if self._chaos.quiet or self._random.random() < 0.5:
            return resource_id
        return re.sub(r"/resourceGroups/", "/resourcegroups/", resource_id, flags=re.IGNORECASE)
