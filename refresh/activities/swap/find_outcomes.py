"""Activity: reads the dispatcher's state for outcomes whose event got lost."""

from __future__ import annotations

from typing import Any

from refresh.domain.terms import times
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.records.dispatcher_state import DispatcherState


async def find_outcomes(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """Outcomes since `since` of the given VMs, and the VMs that are not in the dispatcher's state (`lost`).

    `client` is the durable client the host binds.
    """
    return look_up(await read_dispatcher_state(client), data["vms"], data["since"])


def look_up(state: DispatcherState, vms: list[str], since: str) -> dict[str, Any]:
    """The same, from a given state."""
    wanted = {vm.lower() for vm in vms}
    outcomes = {
        outcome.vm.lower(): outcome.json
        for outcome in state.finished
        if outcome.vm.lower() in wanted and times.not_before(outcome.ended, since)
    }
    taken = state.look.taken if state.look is not None else {}
    known = {*outcomes, *state.hints, *taken, *state.queue, *state.running}
    return {"outcomes": list(outcomes.values()), "lost": [vm for vm in vms if vm.lower() not in known]}
