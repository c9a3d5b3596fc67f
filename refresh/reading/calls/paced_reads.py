"""Reads for decisions: at a limited pace, retried within a budget, and once for what many decisions share.

Decides the pace. Does not know what is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any
from weakref import WeakKeyDictionary

from refresh.domain.azure.polls import READ_BUDGET_S, READ_BURST, READ_GAP_S
from refresh.gateways.errors import NotFound
from refresh.reading.calls.retrying import retry_until_answered


class Pace:
    """Limits reads to one every `gap_s` seconds on average, to leave ARM's read quota to swaps under way.

    After a rest the next `burst` reads have no gap, so that a look at one VM, which a person waits for, is quick.
    """

    def __init__(self, gap_s: float = READ_GAP_S, burst: int = 1) -> None:
        """Allow one read every `gap_s` seconds, and `burst` at once after a rest."""
        self._gap_s = gap_s
        self._burst_s = gap_s * burst
        self._used_until_s = -inf

    async def wait(self) -> None:
        """Wait until the next read may start."""
        now_s = asyncio.get_running_loop().time()
        self._used_until_s = max(self._used_until_s, now_s) + self._gap_s
        await asyncio.sleep(max(0.0, self._used_until_s - now_s - self._burst_s))


_PACES: WeakKeyDictionary[asyncio.AbstractEventLoop, Pace] = WeakKeyDictionary()


def pace_of_decisions() -> Pace:
    """The one pace of all reads for decisions on the running event loop, one look after the other."""
    return _PACES.setdefault(asyncio.get_running_loop(), Pace(burst=READ_BURST))


class Reads:
    """Reads at one pace; the results of `once` are kept as long as this object."""

    def __init__(self, pace: Pace, budget_s: float = READ_BUDGET_S) -> None:
        """Start with nothing read; each read is retried for `budget_s` seconds."""
        self._pace = pace
        self._budget_s = budget_s
        self._known: dict[str, asyncio.Task[Any]] = {}

    async def read[T](self, call: Callable[[], Awaitable[T]]) -> T | None:
        """The result of `call`; None when Azure has no such resource. GatewayError when it cannot be read."""
        await self._pace.wait()
        try:
            return await retry_until_answered(call, budget_s=self._budget_s)
        except NotFound:
            return None

    async def once[T](self, key: str, call: Callable[[], Awaitable[T]]) -> T | None:
        """Like `read`, but a result that is known for `key` (compared without case) is not read again."""
        task = self._known.get(key.lower())
        if task is None:
            task = self._known[key.lower()] = asyncio.ensure_future(self.read(call))
        # A caller that stops waiting must not cancel the read for the others.
        result: T | None = await asyncio.shield(task)
        return result

    def close(self) -> None:
        """End the reads of `once` that are still under way."""
        for task in self._known.values():
            task.cancel()
