"""Has many VMs swapped: writes the tag where a disk is given, hints at the VMs, waits for every outcome.

Decides nothing about a VM and starts no swap itself: the dispatcher does, within its budgets. The result lists every
VM. An outcome comes as an event; every minute the dispatcher state is read for outcomes whose event got lost.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.shared.cancellation import Cancellation
from refresh.orchestrations.shared.dispatcher_calls import OUTCOME_EVENT, now, signal_dispatcher
from refresh.records import durable_names, swap
from refresh.records.durable_names import Operation
from refresh.records.rows import given
from refresh.records.swap import Outcome, OutcomeStatus
from refresh.records.swap_request import SwapRequest

Rows = dict[str, dict[str, Any]]
type InputOf = Callable[[list[str]], dict[str, Any]]
REREAD = timedelta(seconds=60)

# The decision of a VM whose swap did not begin; any other outcome is one of a swap.
_DECISIONS: Mapping[str, DecisionKind] = {
    OutcomeStatus.SKIPPED: DecisionKind.SKIP,
    OutcomeStatus.REFUSED: DecisionKind.REFUSE,
}


def swap_vms(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Swap the VMs of a `SwapRequest`; `{"kind", "status", "vms": rows}` with one row for every VM of it."""
    request = SwapRequest.from_json(data)
    cancel = Cancellation(ctx, request.cancelled)
    chunk = list(request.vms[: swap.VMS_PER_HISTORY])
    rows: Rows = {}
    since = request.since or now(ctx)
    if request.adopt:
        rows = yield from _write_tags(ctx, chunk, durable_names.ADOPT_DISKS, lambda vms: {"vms": vms}, cancel)
    elif request.back:
        rows = yield from _write_tags(ctx, chunk, durable_names.WRITE_WAYS_BACK, _ways_back(request, since), cancel)
    elif request.disk is not None:
        rows = yield from _write_tags(ctx, chunk, durable_names.WRITE_WISHES, _wishes(request.disk), cancel)
    pending = [vm for vm in chunk if vm.lower() not in rows]
    hints = _Hints(ctx, request, pending)
    if cancel.is_asked():
        yield from _withdraw(hints, request, cancel, rows)
    yield from _wait(hints, since, rows, cancel, request)
    done = [*request.done, *(rows[vm.lower()] for vm in chunk)]
    rest = list(request.vms[swap.VMS_PER_HISTORY :])
    if cancel.is_asked():
        done += [cancelled_row(vm) for vm in rest]
        return cancel.closed({"kind": "swap", "status": overall_status(done), "vms": done})
    if rest:
        ctx.continue_as_new(replace(request, vms=tuple(rest), done=tuple(done), since=None).to_json())
    return {"kind": "adopt" if request.adopt else "swap", "status": overall_status(done), "vms": done}


def _batches(items: Sequence[str], size: int) -> Iterator[list[str]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def _wishes(disk: str) -> InputOf:
    return lambda vms: {"vms": vms, "disk": disk}


def _ways_back(request: SwapRequest, since: str) -> InputOf:
    """The input of the activity that writes the ways back."""

    def input_of(vms: list[str]) -> dict[str, Any]:
        data: dict[str, Any] = {"vms": vms, "since": since, "force": request.force}
        if request.given is not None:
            data["given"] = {vm.lower(): request.given[vm.lower()] for vm in vms if vm.lower() in request.given}
        return data

    return input_of


def _write_tags(
    ctx: OrchestrationContext, vms: Sequence[str], activity: str, input_of: InputOf, cancel: Cancellation
) -> Generator[Task[Any], Any, Rows]:
    """Write `OsDiskName`; the rows of the VMs where it was not written."""
    refused: Rows = {}
    batches = list(_batches(vms, swap.VMS_PER_BULK_ACTIVITY))
    for wave_start in range(0, len(batches), swap.BULK_ACTIVITIES_OUTSTANDING):
        wave = batches[wave_start : wave_start + swap.BULK_ACTIVITIES_OUTSTANDING]
        if cancel.is_asked():
            refused.update({vm.lower(): cancelled_row(vm) for batch in wave for vm in batch})
            continue
        tasks: list[Task[Any]] = [ctx.call_activity(activity, input=input_of(batch)) for batch in wave]
        for task, batch in zip(tasks, wave, strict=True):
            try:
                answer = yield task
            except TaskFailedError as error:
                answer = {"rows": [_lost(vm, f"its tag could not be written: {error}") for vm in batch]}
            refused.update({row["vm"].lower(): row for row in answer["rows"]})
    return refused


class _Hints:
    """The hints of a run at its VMs: all at once, or `swap.VMS_AT_ONCE` where the request is paced.

    The dispatcher's state has a row for each VM that a run waits for, so a run over many VMs sends hints by and by.
    """

    def __init__(self, ctx: OrchestrationContext, request: SwapRequest, vms: Sequence[str]) -> None:
        self.ctx = ctx
        self.force, self.asked, self.adopt = request.force, request.asked, bool(request.adopt)
        self.cancelled = False
        self.missing = {vm.lower(): vm for vm in vms}
        self._unsent = list(vms)
        self._most = swap.VMS_AT_ONCE if request.paced else len(vms)

    @property
    def sent(self) -> list[str]:
        """The VMs that have hints and no outcome."""
        unsent = {vm.lower() for vm in self._unsent}
        return [vm for key, vm in self.missing.items() if key not in unsent]

    def stop(self, vm: str, rows: Rows) -> None:
        """Wait no longer for a VM whose swap the cancelled run leaves out."""
        if self.missing.pop(vm.lower(), None) is not None:
            rows[vm.lower()] = cancelled_row(vm)
        self._unsent = [one for one in self._unsent if one.lower() != vm.lower()]

    def send_next(self) -> None:
        """Send hints at the next VMs once half of the last ones have outcomes."""
        waiting = len(self.missing) - len(self._unsent)
        if not self._unsent or waiting > self._most // 2:
            return
        room = self._most - waiting
        vms, self._unsent = self._unsent[:room], self._unsent[room:]
        self.send(vms)

    def unsent_are_sent(self) -> None:
        """No further VM is waiting for its hint."""
        self._unsent = []

    def send(self, vms: Sequence[str]) -> None:
        """Send hints at these VMs."""
        for batch in _batches(vms, swap.VMS_PER_SIGNAL):
            asks = {"force": self.force, **given(asked=self.asked)}
            signal_dispatcher(self.ctx, Operation.HINT, vms=batch, reply_to=self.ctx.instance_id, **asks)

    def accept(self, data: Any, rows: Rows) -> None:
        """Take the outcome of a VM that has none yet."""
        outcome = Outcome.from_json(data)
        key = outcome.vm.lower()
        if self.missing.pop(key, None) is not None:
            left_out = self.cancelled and outcome.status == OutcomeStatus.SKIPPED
            row = _adopted_row(outcome) if self.adopt else outcome_row(outcome)
            rows[key] = cancelled_row(outcome.vm) if left_out else row
            self._unsent = [vm for vm in self._unsent if vm.lower() != key]


def _withdraw(hints: _Hints, request: SwapRequest, cancel: Cancellation, rows: Rows) -> Generator[Task[Any], Any]:
    """Take back the tags of the swaps that have not begun; the looks that follow take them out of the queue."""
    hints.cancelled = True
    sent = {vm.lower() for vm in hints.sent}
    more = {"disk": request.disk, "back": request.back, "written": cancel.data.get("written")}
    more = {name: value for name, value in more.items() if value}
    for batch in _batches(list(hints.missing.values()), swap.VMS_PER_BULK_ACTIVITY):
        try:
            found = yield hints.ctx.call_activity(durable_names.WITHDRAW_WISHES, input={"vms": batch, **more})
        except TaskFailedError:
            found = {"withdrawn": [], "under_way": [], "left": batch}
        hinted = [vm for vm in found["withdrawn"] if vm.lower() in sent]
        for vm in (*found["left"], *(vm for vm in found["withdrawn"] if vm.lower() not in sent)):
            hints.stop(vm, rows)
        hints.send([*hinted, *found["under_way"]])
    hints.unsent_are_sent()


def _wait(
    hints: _Hints, since: str, rows: Rows, cancel: Cancellation, request: SwapRequest
) -> Generator[Task[Any], Any]:
    ctx = hints.ctx
    hints.send_next()
    event, timer = ctx.wait_for_external_event(OUTCOME_EVENT), ctx.create_timer(REREAD)
    while hints.missing:
        winner = yield when_any([event, timer] if hints.cancelled else [event, timer, cancel.task])
        if cancel.is_asked() and not hints.cancelled:
            yield from _withdraw(hints, request, cancel, rows)
            if winner == cancel.task:
                continue
        if winner == event:
            outcome: dict[str, Any] = event.get_result()
            event = ctx.wait_for_external_event(OUTCOME_EVENT)
            if outcome["status"] == OutcomeStatus.SKIPPED and outcome["vm"].lower() in hints.missing:
                outcome = yield from _swapped_meanwhile(ctx, outcome, since)
            hints.accept(outcome, rows)
            hints.send_next()
            continue
        timer = ctx.create_timer(REREAD)
        try:
            query = {"vms": hints.sent, "since": since}
            found = yield ctx.call_activity(durable_names.FIND_OUTCOMES, input=query)
        except TaskFailedError:
            continue
        for outcome in found["outcomes"]:
            hints.accept(outcome, rows)
        hints.send([vm for vm in found["lost"] if vm.lower() in hints.missing])
        hints.send_next()


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


def _lost(vm: str, why: str) -> dict[str, Any]:
    return outcome_row(Outcome(vm, "", OutcomeStatus.REFUSED, Reason.TAGS_NOT_WRITTEN, why[:200]))


def cancelled_row(vm: str) -> dict[str, Any]:
    """The row of a VM whose swap had not begun when its run was cancelled."""
    message = "the run was cancelled before this swap began"
    return outcome_row(Outcome(vm, "", OutcomeStatus.SKIPPED, Reason.CANCELLED, message))


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


def _adopted_row(outcome: Outcome) -> dict[str, Any]:
    """The row of a VM whose tag was written: adopted where a look has read that it names the disk that the VM runs."""
    if (outcome.status, outcome.reason) != (OutcomeStatus.SKIPPED, Reason.ALREADY_THERE):
        return outcome_row(outcome)
    row = outcome_row(replace(outcome, reason=Reason.ADOPTED))
    return {**row, "status": str(OutcomeStatus.SUCCEEDED)}


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
