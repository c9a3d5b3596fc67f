"""How many VMs are being swapped at this moment, for bulk work that gives way to them."""

from __future__ import annotations

from typing import Any

from durabletask.entities import EntityInstanceId

from refresh import messages


async def count_swaps(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`{"running": n}` from the dispatcher's book; `client` is the durable client the host binds."""
    entity = await client.get_entity(EntityInstanceId(messages.DISPATCHER, messages.DISPATCHER_KEY))
    state = (entity.get_typed_state(dict) if entity is not None else None) or {}
    return {"running": len(state.get("running", {}))}
