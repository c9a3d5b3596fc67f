"""What goes wrong between a write and its event, on purpose.

This room decides how late, how often and in what casing an event sets out. It refuses to know where to.
Event Grid promises at least one delivery in no order, and the casing of ids in events differs from sample to sample.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

_HELD_BACK_S = (1.0, 5.0)
_DUPLICATE_LATER_S = (0.0, 10.0)


@dataclass(frozen=True)
class Chaos:
    """`delay_s`: up to so late, drawn evenly. `duplicates`, `reorder`: the probability (0 to 1) that an event comes
    twice, or is held back long enough to be overtaken. `seed` makes it repeatable."""

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
        """Whether nothing goes wrong."""
        return not (self.delay_s or self.duplicates or self.reorder)


class Mischief:
    """The draws of one Chaos, in order."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos
        self._random = random.Random(chaos.seed)  # noqa: S311 - repeatable on purpose

    def departures_s(self) -> list[float]:
        """How many seconds from now one event sets out; two numbers when it comes twice."""
        late_s = self._random.uniform(0, self._chaos.delay_s)
        if self._random.random() < self._chaos.reorder:
            late_s += self._random.uniform(*_HELD_BACK_S)
        if self._random.random() < self._chaos.duplicates:
            return [late_s, late_s + self._random.uniform(*_DUPLICATE_LATER_S)]
        return [late_s]

    def spell(self, resource_id: str) -> str:
        """`resource_id` in one of the casings seen in events; as it is when nothing goes wrong."""
        if self._chaos.quiet or self._random.random() < 0.5:
            return resource_id
        return re.sub(r"/resourceGroups/", "/resourcegroups/", resource_id, flags=re.IGNORECASE)
