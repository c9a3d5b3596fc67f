"""A marketplace purchase plan as a plain value.

Decides which parts of ARM's answers the app uses. Does not know who requires a plan.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """The purchase plan of a third party's image; Azure compares its parts with case."""

    publisher: str
    product: str
    name: str

    def __str__(self) -> str:
        return f"{self.publisher}/{self.product}/{self.name}"

    def body(self) -> dict[str, str]:
        """The plan as ARM bodies have it."""
        return {"publisher": self.publisher, "product": self.product, "name": self.name}
