"""A look: takes hints from the dispatcher, has the VMs read and decided about, and returns the decisions.

Goes on until no hint is left. Where the dispatcher has a subscription to list instead of hints, the VMs whose tags are
not fulfilled are found in that list and handed in a few at a time, so that hints are not delayed by them. Decides
nothing about VMs. One look is open at a time: a look that was started twice or late gets no hints and ends.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.shared.dispatcher_calls import OUTCOME_EVENT, call_dispatcher, is_bounded, now
from refresh.orchestrations.shared.notices import publish_meanwhile
from refresh.orchestrations.swap.swap_steps import call
from refresh.records import durable_names, swap
from refresh.records.durable_names import Operation
from refresh.records.events import refusal_event
from refresh.records.swap import Outcome, OutcomeStatus

# The whole history is sent with every turn, so a busy look continues as new after this many batches.
BATCHES_PER_HISTORY = 10


def look(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Work off the dispatcher's hints; `data` is `{"look": id}`. NoAnswer ends it; the sweep starts another look."""
    looked, bounded = int(data.get("looked", 0)), is_bounded(data)
    found: dict[str, Any] | None = data.get("found")
    for _ in range(BATCHES_PER_HISTORY):
        part, found = _next_part(found)
        taken = yield from call_dispatcher(ctx, Operation.TAKE, bounded=bounded, look=data["look"], **part)
        if taken.get("list"):
            found = yield from _list(ctx, taken["list"])
            continue
        if not taken.get("more"):
            found = None
        if not taken["vms"]:
            if found:
                continue
            return {"looked": looked}
        try:
            answer = yield ctx.call_activity(durable_names.READ_HINTS, input=taken)
        except TaskFailedError as error:
            answer = {"decisions": [_undecided(row, str(error)) for row in taken["vms"]]}
        batch = {"batch": taken["batch"]} if "batch" in taken else {}
        accepted = yield from call_dispatcher(
            ctx, Operation.DECIDED, bounded=bounded, look=data["look"], **batch, **answer
        )
        decisions = _counted(answer["decisions"], accepted)
        _reply(ctx, decisions)
        _publish_changed(ctx, decisions, accepted)
        yield from _clear_leftovers(ctx, decisions)
        looked += len(taken["vms"])
    ctx.continue_as_new({**data, "looked": looked, **({"found": found} if found else {})})
    return {"looked": looked}


def _list(ctx: OrchestrationContext, wanted: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """What `list_mismatches` has found. A list that fails is tried again by a later look."""
    try:
        found: dict[str, Any] = yield ctx.call_activity(durable_names.LIST_MISMATCHES, input=wanted)
    except TaskFailedError as error:
        return {"subscription": wanted["subscription"], "vms": [], "error": f"{error}"[:300]}
    return found


def _next_part(found: dict[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What to hand in of the VMs that a list has found, and what is left of them."""
    if found is None:
        return {}, None
    vms, rest = found["vms"][: swap.LISTED_PER_LOOK], found["vms"][swap.LISTED_PER_LOOK :]
    part = {**found, "vms": vms, "rest": int(found.get("rest", 0)) + len(rest)}
    return {"listed": {**part, "more": bool(rest)}}, {**found, "vms": rest} if rest else None


def _counted(decisions: list[dict[str, Any]], accepted: Any) -> list[dict[str, Any]]:
    """The decisions that the dispatcher accepted; for other VMs another look decides.

    The dispatcher of an older app does not return them: then all count.
    """
    if not isinstance(accepted, dict):
        return decisions
    return [row for row in decisions if str(row["vm"]).lower() in accepted["vms"]]


def _clear_leftovers(ctx: OrchestrationContext, decisions: list[dict[str, Any]]) -> Generator[Task[Any], Any]:
    """Remove each `RefreshState` that outlived its swap: later it would make the app start a VM its owner stopped."""
    for row in decisions:
        if row.get("stale") and row["decision"] != DecisionKind.SWAP:
            yield from call(ctx, durable_names.CLEAR_INTENT, {"vm": row["vm"]})


def _publish_changed(ctx: OrchestrationContext, decisions: list[dict[str, Any]], accepted: Any) -> None:
    """Publish the refusal of each VM that others have changed, where the dispatcher says that it is news."""
    changed = accepted.get("changed", ()) if isinstance(accepted, dict) else ()
    for row in decisions:
        if str(row["vm"]).lower() in changed:
            publish_meanwhile(ctx, refusal_event(_outcome_of(row), ctx.instance_id, now(ctx)))


def _undecided(row: dict[str, Any], why: str) -> dict[str, Any]:
    return {
        "vm": row["vm"],
        "decision": str(DecisionKind.REFUSE),
        "reason": str(Reason.UNREADABLE),
        "message": f"the VM could not be read: {why[:160]}",
        "reply_to": row.get("reply_to", []),
    }


def _reply(ctx: OrchestrationContext, decisions: list[dict[str, Any]]) -> None:
    """Send the runs that wait for a VM its outcome, where no swap follows; a swap sends its own when it ends."""
    for row in decisions:
        if row["decision"] == DecisionKind.SWAP:
            continue
        outcome = _outcome_of(row)
        for instance_id in row.get("reply_to", []):
            ctx.send_event(instance_id, OUTCOME_EVENT, data=outcome.to_json())


def _outcome_of(row: dict[str, Any]) -> Outcome:
    """A decision without a swap as an outcome."""
    return Outcome(
        vm=row["vm"],
        run="",
        status=OutcomeStatus.SKIPPED if row["decision"] == DecisionKind.SKIP else OutcomeStatus.REFUSED,
        reason=row["reason"],
        message=row.get("message", ""),
    )
