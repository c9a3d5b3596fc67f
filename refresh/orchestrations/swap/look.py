"""A look: takes hints, has the VMs read and decided about, hands the decisions back, until no hint is left.

Decides nothing about VMs. One look is open at a time; one that was started twice or late is given nothing and ends.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.shared.dispatcher_calls import OUTCOME_EVENT, ask, is_bounded
from refresh.orchestrations.swap.swap_steps import call
from refresh.records import swap

# History is resent every turn; a busy look starts afresh after this many batches.
BATCHES_PER_HISTORY = 10


def look(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Work off the dispatcher's hints; `data` is `{"look": id}`. NoAnswer: the sweep has another look begin."""
    looked, bounded = int(data.get("looked", 0)), is_bounded(data)
    for _ in range(BATCHES_PER_HISTORY):
        taken = yield from ask(ctx, "take", bounded=bounded, look=data["look"])
        if not taken["vms"]:
            return {"looked": looked}
        try:
            answer = yield ctx.call_activity("read_hints", input=taken)
        except TaskFailedError as error:
            answer = {"decisions": [_undecided(row, str(error)) for row in taken["vms"]]}
        batch = {"batch": taken["batch"]} if "batch" in taken else {}
        heard = yield from ask(ctx, "decided", bounded=bounded, look=data["look"], **batch, **answer)
        decisions = _counted(answer["decisions"], heard)
        _reply(ctx, decisions)
        yield from _clear_leftovers(ctx, decisions)
        looked += len(taken["vms"])
    ctx.continue_as_new({**data, "looked": looked})
    return {"looked": looked}


def _counted(decisions: list[dict[str, Any]], heard: Any) -> list[dict[str, Any]]:
    """The decisions that the dispatcher took; of the others another look knows more. An older one did not say."""
    if not isinstance(heard, dict):
        return decisions
    return [row for row in decisions if str(row["vm"]).lower() in heard["vms"]]


def _clear_leftovers(ctx: OrchestrationContext, decisions: list[dict[str, Any]]) -> Generator[Task[Any], Any]:
    """A `RefreshState` that outlived its swap goes, before it has the app start a VM that its owner stopped."""
    for row in decisions:
        if row.get("stale") and row["decision"] != "swap":
            yield from call(ctx, "clear_intent", {"vm": row["vm"]})


def _undecided(row: dict[str, Any], why: str) -> dict[str, Any]:
    return {
        "vm": row["vm"],
        "decision": "refuse",
        "reason": str(Reason.UNREADABLE),
        "message": f"the VM could not be looked at: {why[:160]}",
        "reply_to": row.get("reply_to", []),
    }


def _reply(ctx: OrchestrationContext, decisions: list[dict[str, Any]]) -> None:
    """Who asked for a swap that will not be made is told at once; a swap tells its own outcome when it ends."""
    for row in decisions:
        if row["decision"] == "swap":
            continue
        outcome = swap.Outcome(
            vm=row["vm"],
            run="",
            status="skipped" if row["decision"] == "skip" else "refused",
            reason=row["reason"],
            message=row.get("message", ""),
        )
        for instance_id in row.get("reply_to", []):
            ctx.send_event(instance_id, OUTCOME_EVENT, data=outcome.to_json())
