"""Reads for decisions: kept apart, tried again within a budget, and what many decisions share is read once.

Decides the pace. Refuses to know what is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from refresh.gateways.errors import NotFound
from refresh.reading.calls.retrying import retry_until_answered

READ_BUDGET_S = 30.0


class Pace:
    """Keeps reads apart: at most one every `gap_s` seconds, because ARM's read quota is kept for swaps under way."""

    def __init__(self, gap_s: float = 0.1) -> None:
        """Let one read start every `gap_s` seconds."""
        self._gap_s = gap_s
        self._turn = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for the next turn."""
        async with self._turn:
            await asyncio.sleep(self._gap_s)


class Reads:
    """Reads at one pace; what was read `once` is remembered as long as this object."""

    def __init__(self, pace: Pace) -> None:
        """Start with nothing read."""
        self._pace = pace
        self._known: dict[str, asyncio.Task[Any]] = {}

    async def read[T](self, call: Callable[[], Awaitable[T]]) -> T | None:
        """What `call` answers, None when that is not there. GatewayError when nobody knows."""
        await self._pace.turn()
        try:
            return await retry_until_answered(call, budget_s=READ_BUDGET_S)
        except NotFound:
            return None

    async def once[T](self, key: str, call: Callable[[], Awaitable[T]]) -> T | None:
        """Like `read`, but what is known under `key` (compared without case) is not read again."""
        task = self._known.get(key.lower())
        if task is None:
            task = self._known[key.lower()] = asyncio.ensure_future(self.read(call))
        # Whoever gives up waiting does not take the answer from the others.
        result: T | None = await asyncio.shield(task)
        return result
