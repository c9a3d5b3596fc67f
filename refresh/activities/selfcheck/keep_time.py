"""Activity: ends after a given time, so that a self-check ends in time even when durable timers do not fire."""

from __future__ import annotations

import asyncio
from typing import Any


async def keep_time(data: dict[str, Any]) -> dict[str, Any]:
    """`{"seconds": n}` to `{}`, after n seconds."""
    await asyncio.sleep(float(data["seconds"]))
    return {}
