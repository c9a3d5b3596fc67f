"""Activity: reads the VMs of a run, and whether it also swaps them."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.gateways.errors import GatewayError
from refresh.reading.fleet.scope import find_scope, unread_rows


async def read_scope(data: dict[str, Any]) -> dict[str, Any]:
    """`{"vms": [ids], "rollout", "unread": [rows]}`: the given `vms`, each once, else all in scope.

    `unread` are the subscriptions whose VMs are missing, with the reason; `{"problem"}` when no subscription was read.
    """
    given = {vm.lower(): vm for vm in reversed(data.get("vms", []))}
    found = list(reversed(given.values()))
    rollout = wiring.settings().rollout
    if found:
        return {"vms": found, "rollout": rollout}
    try:
        scope = await find_scope(wiring.gateways())
    except GatewayError as error:
        return {"vms": [], "rollout": rollout, "problem": f"the VMs in scope could not be listed: {error}"}
    return {"vms": list(scope.vms), "rollout": rollout, "unread": unread_rows(scope.unread)}
