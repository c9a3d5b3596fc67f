"""Has many VMs swapped: writes the tag where a disk is given, hints at the VMs, waits for every outcome.

Decides nothing about a VM and starts no swap itself: the dispatcher does, within its budgets. The result lists every
VM. An outcome comes as an event; every minute the dispatcher state is read for outcomes whose event got lost.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.shared.dispatcher_calls import OUTCOME_EVENT, now, signal_dispatcher
from refresh.records import durable_names, swap
from refresh.records.durable_names import Operation
from refresh.records.swap import Outcome, OutcomeStatus, SwapRequest

Rows = dict[str, dict[str, Any]]
REREAD = timedelta(seconds=60)

# The decision of a VM whose swap did not begin; any other outcome is one of a swap.
_DECISIONS: Mapping[str, DecisionKind] = {
    OutcomeStatus.SKIPPED: DecisionKind.SKIP,
    OutcomeStatus.REFUSED: DecisionKind.REFUSE,
}


def swap_vms(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Swap the VMs of a `SwapRequest`; `{"kind", "status", "vms": rows}` with one row for every VM of it."""
    request = SwapRequest.from_json(data)
    chunk = list(request.vms[: swap.VMS_PER_HISTORY])
    rows: Rows = {}
    since = request.since or now(ctx)
    if request.disk is not None:
        rows = yield from _write_wishes(ctx, chunk, request.disk)
    pending = [vm for vm in chunk if vm.lower() not in rows]
    for batch in _batches(pending, swap.VMS_PER_SIGNAL):
        signal_dispatcher(ctx, Operation.HINT, vms=batch, reply_to=ctx.instance_id, force=request.force)
    yield from _wait(ctx, pending, since, request.force, rows)
    done = [*request.done, *(rows[vm.lower()] for vm in chunk)]
    rest = list(request.vms[swap.VMS_PER_HISTORY :])
    if rest:
        ctx.continue_as_new(SwapRequest(tuple(rest), request.disk, request.force, tuple(done)).to_json())
    return {"kind": "swap", "status": overall_status(done), "vms": done}


def _batches(items: Sequence[str], size: int) -> Iterator[list[str]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def _write_wishes(ctx: OrchestrationContext, vms: Sequence[str], disk: str) -> Generator[Task[Any], Any, Rows]:
    """Write `OsDiskName`; the rows of the VMs where it was not written."""
    refused: Rows = {}
    batches = list(_batches(vms, swap.VMS_PER_BULK_ACTIVITY))
    for wave_start in range(0, len(batches), swap.BULK_ACTIVITIES_OUTSTANDING):
        wave = batches[wave_start : wave_start + swap.BULK_ACTIVITIES_OUTSTANDING]
        tasks: list[Task[Any]] = [
            ctx.call_activity(durable_names.WRITE_WISHES, input={"vms": batch, "disk": disk}) for batch in wave
        ]
        for task, batch in zip(tasks, wave, strict=True):
            try:
                answer = yield task
            except TaskFailedError as error:
                answer = {"rows": [_lost(vm, f"its tag could not be written: {error}") for vm in batch]}
            refused.update({row["vm"].lower(): row for row in answer["rows"]})
    return refused


def _wait(
    ctx: OrchestrationContext, vms: Sequence[str], since: str, force: bool, rows: Rows
) -> Generator[Task[Any], Any]:
    missing = {vm.lower(): vm for vm in vms}
    event, timer = ctx.wait_for_external_event(OUTCOME_EVENT), ctx.create_timer(REREAD)
    while missing:
        winner = yield when_any([event, timer])
        if winner == event:
            outcome: dict[str, Any] = event.get_result()
            event = ctx.wait_for_external_event(OUTCOME_EVENT)
            if outcome["status"] == OutcomeStatus.SKIPPED and outcome["vm"].lower() in missing:
                outcome = yield from _swapped_meanwhile(ctx, outcome, since)
            _accept(outcome, missing, rows)
            continue
        timer = ctx.create_timer(REREAD)
        try:
            query = {"vms": list(missing.values()), "since": since}
            found = yield ctx.call_activity(durable_names.FIND_OUTCOMES, input=query)
        except TaskFailedError:
            continue
        for outcome in found["outcomes"]:
            _accept(outcome, missing, rows)
        for batch in _batches([vm for vm in found["lost"] if vm.lower() in missing], swap.VMS_PER_SIGNAL):
            signal_dispatcher(ctx, Operation.HINT, vms=batch, reply_to=ctx.instance_id, force=force)


def _swapped_meanwhile(
    ctx: OrchestrationContext, skipped: dict[str, Any], since: str
) -> Generator[Task[Any], Any, dict[str, Any]]:
    """The outcome of a VM that has nothing left to do: the event of the tag write may have had it swapped already."""
    try:
        query = {"vms": [skipped["vm"]], "since": since}
        found = yield ctx.call_activity(durable_names.FIND_OUTCOMES, input=query)
    except TaskFailedError:
        return skipped
    outcomes: list[dict[str, Any]] = found["outcomes"]
    return outcomes[-1] if outcomes else skipped


def _accept(data: Any, missing: dict[str, str], rows: Rows) -> None:
    outcome = Outcome.from_json(data)
    key = outcome.vm.lower()
    if missing.pop(key, None) is not None:
        rows[key] = outcome_row(outcome)


def _lost(vm: str, why: str) -> dict[str, Any]:
    return outcome_row(Outcome(vm, "", OutcomeStatus.REFUSED, Reason.TAGS_NOT_WRITTEN, why[:200]))


def outcome_row(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a row of a run: the fields of a VM record, and how the swap ended."""
    decision = _DECISIONS.get(outcome.status, DecisionKind.SWAP)
    row = {
        "vm": outcome.vm,
        "decision": str(decision),
        "status": str(outcome.status),
        "reason": outcome.reason,
        "message": outcome.message[:200],
        "run": outcome.run or None,
        "old_disk": outcome.old_disk,
        "new_disk": outcome.new_disk,
        "down_s": outcome.down_s,
    }
    return {key: value for key, value in row.items() if value is not None}


# A run has the status of its worst VM. A VM that had nothing to do is no failure. "failed" is a row without an outcome.
_WORST_FIRST = (
    OutcomeStatus.NEEDS_ATTENTION,
    "failed",
    OutcomeStatus.ROLLED_BACK,
    OutcomeStatus.REFUSED,
    OutcomeStatus.NOT_PROVEN,
)


def overall_status(rows: Sequence[dict[str, Any]]) -> str:
    """The status of a run over many VMs."""
    seen = {row.get("status") for row in rows}
    return str(next((status for status in _WORST_FIRST if status in seen), OutcomeStatus.SUCCEEDED))
