"""How many VMs are being swapped at this moment, for bulk work that gives way to them.

A VM that waits out its notice still runs: nothing gives way to it.
"""

from __future__ import annotations

from typing import Any

from refresh.domain.swap.plan import NOTICE
from refresh.reading.dispatcher_state import read_dispatcher_state


async def count_swaps(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`{"running": n}` from the dispatcher's book; `client` is the durable client the host binds."""
    return count_down(await read_dispatcher_state(client))


def count_down(state: dict[str, Any]) -> dict[str, Any]:
    """The same, from the book itself."""
    return {"running": sum(row.get("step") != NOTICE for row in state.get("running", {}).values())}
