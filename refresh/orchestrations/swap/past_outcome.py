"""How a swap ended that was started once more after its end: asks the entity `past_outcomes`.

Decides how long to wait for its answer, and that it is asked twice: the dispatcher's message to it may still be under
way. A start that an entity has sent can arrive twice and late, and then replaces the instance of a run that has ended.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from refresh.domain.terms.resource_id import id_hash
from refresh.records import durable_names
from refresh.records.durable_names import PastOutcomesOperation

ANSWER_TIMEOUT = timedelta(minutes=3)
ASKED_AGAIN_AFTER = timedelta(seconds=20)


def find_past_outcome(ctx: OrchestrationContext, vm: str) -> Generator[Task[Any], Any, dict[str, Any] | None]:
    """The outcome of the swap of `vm` that has the id of this instance, as it is stored; None when there is none."""
    found = yield from _ask(ctx, vm)
    if found is None:
        yield ctx.create_timer(ASKED_AGAIN_AFTER)
        found = yield from _ask(ctx, vm)
    return found


def _ask(ctx: OrchestrationContext, vm: str) -> Generator[Task[Any], Any, dict[str, Any] | None]:
    entity = EntityInstanceId(durable_names.PAST_OUTCOMES, durable_names.vm_key(id_hash(vm)))
    call: Task[Any] = ctx.call_entity(entity, PastOutcomesOperation.FIND, {"run": ctx.instance_id})
    yield when_any([call, ctx.create_timer(ANSWER_TIMEOUT)])
    if not call.is_complete:
        return None
    try:
        answer = call.get_result()
    except TaskFailedError:
        return None
    outcome = answer.get("outcome") if isinstance(answer, dict) else None
    return outcome if isinstance(outcome, dict) else None
