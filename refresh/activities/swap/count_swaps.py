"""Activity: how many VMs are being swapped at this moment, because bulk work slows down meanwhile.

A VM within the time of its notice still runs and does not count.
"""

from __future__ import annotations

from typing import Any

from refresh.domain.swap.plan import NOTICE
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.records.dispatcher_state import DispatcherState


async def count_swaps(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`{"running": n}` from the dispatcher's state; `client` is the durable client the host binds."""
    return count_down(await read_dispatcher_state(client))


def count_down(state: DispatcherState) -> dict[str, Any]:
    """The same, from a given state."""
    return {"running": sum(row.step != NOTICE for row in state.running.values())}
