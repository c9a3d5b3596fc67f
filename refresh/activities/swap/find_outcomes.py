"""Reads the dispatcher's book for outcomes whose event got lost."""

from __future__ import annotations

from typing import Any

from refresh.domain.terms import times
from refresh.reading.dispatcher_state import read_dispatcher_state


async def find_outcomes(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """Outcomes since `since` of the VMs asked for, and the VMs the dispatcher knows nothing of (`lost`).

    `client` is the durable client the host binds.
    """
    state = await read_dispatcher_state(client)
    return look_up(state, data["vms"], data["since"])


def look_up(state: dict[str, Any], vms: list[str], since: str) -> dict[str, Any]:
    """The same, from the book itself."""
    wanted = {vm.lower() for vm in vms}
    outcomes = {
        outcome["vm"].lower(): outcome
        for outcome in state.get("finished", [])
        if outcome["vm"].lower() in wanted and times.not_before(outcome.get("ended"), since)
    }
    taken = (state.get("look") or {}).get("taken", {})
    known = {*outcomes, *state.get("hints", {}), *taken, *state.get("queue", {}), *state.get("running", {})}
    return {"outcomes": list(outcomes.values()), "lost": [vm for vm in vms if vm.lower() not in known]}
