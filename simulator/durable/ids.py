"""Ids of instances that are started without one.

Decides what such an id is made from. The names of what a story makes in Azure come from these ids, and what befalls a
request depends on its path: a story can be told again only if its ids come again.
"""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid4, uuid5


class Ids:
    """Ids of one hub; with a seed the same ones for the same starts, whatever else happens meanwhile."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self._counts: dict[str, int] = {}

    def of_start(self, name: str) -> str:
        """An id for the next instance of `name`: 32 hexadecimal digits, random without a seed."""
        if self._seed is None:
            return uuid4().hex
        self._counts[name] = count = self._counts.get(name, 0) + 1
        return uuid5(NAMESPACE_OID, f"{self._seed}|{name}|{count}").hex
