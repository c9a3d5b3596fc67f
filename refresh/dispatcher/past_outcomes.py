"""The entity `past_outcomes`: the whole outcomes of the last swaps that ended, by run.

Answers the run of a late second start how its swap ended. Its operations never raise; one that cannot be read is logged
and changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from durabletask.entities import EntityContext

from refresh.domain.terms.encodable import encodable
from refresh.records import durable_names
from refresh.records.dispatcher_state import OutcomeRow
from refresh.records.durable_names import PastOutcomesOperation
from refresh.records.past_outcomes import PastOutcomes, is_repeated

# Of the VMs of one key: 7,680 in all.
KEEP_OUTCOMES = 30

_log = logging.getLogger(__name__)


def past_outcomes(ctx: EntityContext, data: Any = None) -> dict[str, Any]:
    """Do one operation and return its answer."""
    stored = ctx.get_state(None, None)
    try:
        state = PastOutcomes(stored)
        answer = _OPERATIONS[ctx.operation](state, data)
    except Exception as error:  # an operation that raises would lose its batch
        why = encodable(f"{type(error).__name__}: {error}"[:200])
        _log.error("%s could not read operation %.40r: %s", durable_names.PAST_OUTCOMES, ctx.operation, why)
        return {}
    if state.json != stored and state.json:
        ctx.set_state(state.json)
    return answer


def keep(state: PastOutcomes, data: Mapping[str, Any]) -> dict[str, Any]:
    """Keep `outcome`. One that comes again replaces itself; a `repeated` refusal takes no other VM's place."""
    new = OutcomeRow.from_json(dict(data["outcome"]))
    others = [row for row in state.outcomes if row.run != new.run]
    if data.get("repeated"):  # the last two stay: a late second start may ask for them
        older = [row for row in others if is_repeated(row, new)][:-1]
        others = [row for row in others if row not in older]
    state.outcomes = [*others, new][-KEEP_OUTCOMES:]
    return {}


def find(state: PastOutcomes, data: Mapping[str, Any]) -> dict[str, Any]:
    """The `outcome` of `run`; an empty answer when there is none."""
    found = next((row.json for row in state.outcomes if row.run == data["run"]), None)
    return {} if found is None else {"outcome": found}


_OPERATIONS: Mapping[str, Callable[[PastOutcomes, Mapping[str, Any]], dict[str, Any]]] = {
    PastOutcomesOperation.KEEP: keep,
    PastOutcomesOperation.FIND: find,
}
