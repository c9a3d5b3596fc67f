"""Activity: reads the VMs of a run, and whether it also swaps them."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.gateways.errors import GatewayError
from refresh.reading.calls.retrying import retry_until_answered


async def read_scope(data: dict[str, Any]) -> dict[str, Any]:
    """`{"vms": [ids], "rollout"}`: the given `vms`, each once, else all in scope; `{"problem"}` when unread."""
    given = {vm.lower(): vm for vm in reversed(data.get("vms", []))}
    found = list(reversed(given.values()))
    rollout = wiring.settings().rollout
    if found:
        return {"vms": found, "rollout": rollout}
    try:
        vms = await retry_until_answered(wiring.gateways().graph.list_scope, budget_s=BULK_BUDGET_S)
    except GatewayError as error:
        return {"vms": [], "rollout": rollout, "problem": f"the VMs in scope could not be listed: {error}"}
    return {"vms": sorted(vms, key=str.lower), "rollout": rollout}
