"""Waits in real time until a condition holds.

Decides how often the condition is checked. Does not know the condition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from simulator.clock import Clock


async def until(
    holds: Callable[[], bool | Awaitable[bool]], within_s: float, *, every_s: float = 0.05, what: str = "it"
) -> None:
    """Check `holds()` every `every_s` seconds until it is True; AssertionError with `what` after `within_s` seconds."""
    deadline_s = Clock.stopwatch() + within_s
    while Clock.stopwatch() < deadline_s:
        value = holds()
        if value if isinstance(value, bool) else await value:
            return
        await asyncio.sleep(every_s)
    raise AssertionError(f"{what} did not hold within {within_s:.0f} s")
