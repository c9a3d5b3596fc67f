"""Makes ids for instances that are started without one.

Decides what such an id is derived from. Names of Azure resources contain these ids, and faults are drawn by request
path, so a test scenario is repeatable only if its ids are.
"""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid4, uuid5


class Ids:
    """The ids of one hub. With a seed, the same starts get the same ids, whatever else is started in between."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self._counts: dict[str, int] = {}

    def of_start(self, name: str) -> str:
        """The id of the next instance of `name`: 32 hexadecimal digits, random without a seed."""
        if self._seed is None:
            return uuid4().hex
        self._counts[name] = count = self._counts.get(name, 0) + 1
        return uuid5(NAMESPACE_OID, f"{self._seed}|{name}|{count}").hex
