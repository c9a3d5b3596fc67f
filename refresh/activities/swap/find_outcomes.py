"""Activity: reads the dispatcher's state, and then `past_outcomes`, for outcomes whose event got lost."""

from __future__ import annotations

from typing import Any

from refresh.domain.terms import times
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.past_outcomes import read_past_outcomes
from refresh.records.dispatcher_state import DispatcherState, OutcomeRow


async def find_outcomes(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """Outcomes since `since` of the given VMs, and the VMs that are not in the dispatcher's state (`lost`).

    `client` is the durable client the host binds.
    """
    vms, since = data["vms"], data["since"]
    found = look_up(await read_dispatcher_state(client), vms, since)
    if not found["lost"]:
        return found
    past = {row.vm.lower(): row.json for row in await read_past_outcomes(client, found["lost"]) if _is_new(row, since)}
    lost = [vm for vm in found["lost"] if vm.lower() not in past]
    return {"outcomes": [*found["outcomes"], *past.values()], "lost": lost}


def look_up(state: DispatcherState, vms: list[str], since: str) -> dict[str, Any]:
    """The same, from a given state of the dispatcher alone."""
    wanted = {vm.lower() for vm in vms}
    outcomes = {
        outcome.vm.lower(): outcome.json
        for outcome in state.finished
        if outcome.vm.lower() in wanted and _is_new(outcome, since)
    }
    taken = state.look.taken if state.look is not None else {}
    known = {*outcomes, *state.hints, *taken, *state.queue, *state.running}
    return {"outcomes": list(outcomes.values()), "lost": [vm for vm in vms if vm.lower() not in known]}


def _is_new(outcome: OutcomeRow, since: str) -> bool:
    return times.not_before(outcome.ended, since)
