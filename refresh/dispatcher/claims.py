"""Claims: which orchestration may swap a VM, what it has done so far, and how it ended.

Decides that one (vm, n) is one swap, once. Leaves claims whose orchestration is gone to `recovery.py`. See
`records.dispatcher_state` for the state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from refresh.dispatcher import announced, broken_vms, changed_vms, lists, unproven_vms, ways
from refresh.dispatcher.effects import Effects, Signal
from refresh.dispatcher.hints import add_hint
from refresh.dispatcher.looks import open_look
from refresh.dispatcher.memory import Memory
from refresh.dispatcher.queue import admit, is_unchecked, wait_as_swap
from refresh.dispatcher.spills import spill
from refresh.domain.swap import plan
from refresh.domain.swap.plan import INTENT, NOTICE, UNDO
from refresh.domain.terms import resource_id, times
from refresh.domain.terms.swap_reason import Reason
from refresh.records import durable_names, swap
from refresh.records.dispatcher_state import (
    DispatcherState,
    DownRow,
    OutcomeRow,
    Rejection,
    RunningRow,
    StoredIntent,
)
from refresh.records.durable_names import PastOutcomesOperation
from refresh.records.hint_rows import HintRow
from refresh.records.past_outcomes import is_repeated
from refresh.records.rows import given
from refresh.records.swap import OutcomeStatus
from refresh.records.vm_memory import merge_ran

KEEP_FINISHED = 30
KEEP_OVER = 100
KEEP_REJECTED = 200
_SHOWN = ("vm", "run", "status", "reason", "message", "old_disk", "new_disk", "down_s", "started", "ended")
_MAX_MESSAGE, _MAX_ATTENTION = 160, 400
_LOOKED_AT_AGAIN = (OutcomeStatus.SUCCEEDED, OutcomeStatus.NOT_PROVEN, OutcomeStatus.ROLLED_BACK)


def _claimed_by(effects: Effects, data: Mapping[str, Any]) -> RunningRow | None:
    """The swap under way that the operation's (vm, n) names; None when it is over or another one."""
    row = effects.state.running.get(str(data["vm"]).lower())
    return row if row is not None and row.n == data["n"] else None


def claim(effects: Effects, data: Mapping[str, Any]) -> None:
    """Answer whether swap (vm, n) may go ahead: `yours`, else it ends. A finished n is never `yours` again.

    The answer to a number that has been used (`ended`) is that the swap has ended or that another run goes on with it.
    """
    row = _claimed_by(effects, data)
    if row is None:
        ended = True if isinstance(data["n"], int) and data["n"] <= effects.state.seq else None
        effects.answer = swap.Claimed("not-yours", ended=ended).to_json()
        return
    vm = str(data["vm"]).lower()
    effects.state.running[vm] = row.replace(claimed=True, since=times.later(data.get("at"), row.since))
    recalled = Memory(effects.state).of(vm)
    effects.answer = swap.Claimed(
        answer="yours",
        force=bool(row.force),
        intent=row.intent.record() if row.intent is not None else None,
        step=row.step,
        tags=row.tags,
        proves_since=row.proves_since,
        wanted=row.wanted,
        reply_to=row.reply_to,
        rejected=tuple(recalled["rejected"]),
        ran=tuple(recalled["ran"]),
        over=tuple(recalled["over"]),
        asked=row.asked or None,
        fulfilled=recalled.get("fulfilled"),
        way=ways.way_json(effects.state, vm),
    ).to_json()


def step(effects: Effects, data: Mapping[str, Any]) -> None:
    """Store the step under way; the intent is stored once, its tags until they must have been written."""
    row = _claimed_by(effects, data)
    effects.answer = {"ok": row is not None}
    if row is None or _is_late(row, str(data["step"]), data.get("at")):
        return
    state, vm = effects.state, str(data["vm"]).lower()
    row = row.replace(since=times.later(data.get("at"), row.since))
    refusal = _refuse_intent(state, vm, row, data)
    if refusal is not None:
        # Nothing has been touched. The VM is looked at again when this swap has ended.
        state.running[vm] = row.replace(again=row.again or HintRow(id=row.id))
        effects.answer = refusal
        return
    if data["step"] == INTENT and _stops_vm(data):
        row = row.without("urgent")  # from now on one of the swaps in flight
    row = row.replace(step=str(data["step"]), step_n=row.n, step_at=data.get("at"))
    row = _with_attention(effects, row, data)
    state.running[vm] = _with_intent(state, vm, row, data)


def _refuse_intent(state: DispatcherState, vm: str, row: RunningRow, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer to an intent that must wait: the package changed since the swap was admitted, a pause came during its
    notice, or the swap was admitted to start a VM that runs again. None for any other step, and for a start (`urgent`
    in `data`), which stops nothing."""
    if data["step"] != INTENT or data.get("urgent"):
        return None
    was_urgent = row.urgent or vm in state.down
    if _stops_vm(data):
        state.down.pop(vm, None)  # it was just seen running
    is_urgent = row.intent or (was_urgent and not _stops_vm(data))
    if is_unchecked(state) and not is_urgent:
        return {"ok": False, "paused": True, "why": "no self-check has passed for this package"}
    if state.paused is not None and (row.step == NOTICE or data.get("noticed")):
        return {"ok": False, "paused": True}
    if row.urgent and row.intent is None and data.get("intent"):
        wait = wait_as_swap(state, vm, row, StoredIntent.from_json(dict(data["intent"])))
        if wait is not None:
            why = f"the VM is not started as one that is down, and its swap waits like any other ({wait})"
            return {"ok": False, "paused": True, "why": why, "reason": str(wait)}
    return None


def _stops_vm(data: Mapping[str, Any]) -> bool:
    """Whether the intent in `data` is that of a swap of a VM that runs. A start (`urgent`) stops nothing."""
    intent = data.get("intent")
    return bool(intent and intent.get("was_running")) and not data.get("urgent")


def _with_attention(effects: Effects, row: RunningRow, data: Mapping[str, Any]) -> RunningRow:
    before, row = row.attention, row.without("attention", "attention_reason")
    if not data.get("attention"):
        return row
    attention = str(data["attention"])[:600]
    if attention != before:
        effects.loud.append(f"attention {row.id}: {attention}")
    reason = str(data.get("attention_reason") or Reason.NO_CAPACITY)
    return row.replace(attention=attention, attention_reason=reason)


def _with_intent(state: DispatcherState, vm: str, row: RunningRow, data: Mapping[str, Any]) -> RunningRow:
    if data.get("intent") and row.intent is None:
        intent = swap.Intent.from_json(data["intent"])
        _note_ran(state, vm, intent.old_disk)
        return row.replace(intent=StoredIntent.from_json(intent.to_json()), tags=dict(data.get("tags") or {}))
    return row if row.step == INTENT else row.without("tags")


def _is_late(row: RunningRow, step: str, at: str | None) -> bool:
    """Whether a later step of the same run is stored already: a swap takes its steps in one order.

    No run leads from the undo back to the new disk: the disk is rejected by then.
    """
    known = row.step or ""
    if known.startswith(UNDO) and not step.startswith(UNDO):
        return True
    if row.step_n != row.n:
        return False
    new, old = plan.rank_of(step), plan.rank_of(known)
    if new is None or old is None or new == old:
        return (times.seconds_between(at, row.step_at) or 0.0) > 0
    return new < old


def _note_ran(state: DispatcherState, vm: str, disk: str) -> None:
    key, ran = resource_id.id_hash(vm), resource_id.id_hash(disk)
    # The VM becomes the newest of the table.
    state.ran[key] = merge_ran(state.ran.pop(key, ()), (ran,))


def reject(effects: Effects, data: Mapping[str, Any]) -> None:
    """Note a disk and its image version as unhealthy on this VM; answer on which VMs that version is unhealthy.

    Only of the swap under way: one that is over, and has been followed by another, may be wrong by now.
    """
    row = _claimed_by(effects, data)
    if row is not None:
        vm = str(data["vm"]).lower()
        _note_rejected(effects.state, vm, (data["disk"], data.get("version")), data.get("at"))
    version = str(data.get("version") or "").lower()
    rejecting = {one.vm for one in effects.state.rejected if version in one.names}
    effects.answer = {"ok": row is not None, "vms": len(rejecting), "rejecting": sorted(rejecting)}


def _note_rejected(state: DispatcherState, vm: str, disk_and_version: tuple[Any, ...], at: Any) -> None:
    names = tuple(sorted({str(name).lower() for name in disk_and_version if name}))
    others = [row for row in state.rejected if (row.vm, row.names) != (vm, names)]
    state.rejected = [*others, Rejection(vm=vm, names=names, at=at)][-KEEP_REJECTED:]


def finished(effects: Effects, data: Mapping[str, Any]) -> None:
    """Store the outcome, free the claim, admit the next."""
    row = _claimed_by(effects, data)
    effects.answer = {"ok": row is not None}
    if row is None:
        return
    state, outcome = effects.state, swap.Outcome.from_json(data["outcome"])
    vm = outcome.vm.lower()
    stored = outcome.to_json()
    repeated = bool(data.get("repeated"))
    if not repeated:
        lines = effects.loud if outcome.status is OutcomeStatus.NEEDS_ATTENTION else effects.lines
        lines.append(f"outcome {json.dumps(stored, sort_keys=True)}")
    announced.note_outcome(effects, outcome, data)
    _keep_outcome(effects, stored, repeated=repeated)
    _note_disks(state, vm, row, outcome, data.get("at"))
    changed_vms.note_outcome(effects, vm, row, outcome)
    del state.running[vm]
    _note_down(state, vm, row, outcome)
    if outcome.reason == Reason.APP_FAILED:
        why = f"{outcome.run}: {outcome.message}"
        broken_vms.note_failure(effects, vm, outcome.vm, durable_names.SWAP_VM, why, data.get("at"))
    else:
        broken_vms.forget(state, vm)
    unproven_vms.note(effects, vm, row, outcome)
    # Looked at once more, because a wish may have come meanwhile. After a refusal only if one has: a look that cannot
    # foresee the refusal would start the same swap again at once, for ever. The sweep finds the VM again.
    if row.again or outcome.status in _LOOKED_AT_AGAIN:
        add_hint(state, vm, row.again or HintRow(id=row.id))
    admit(effects, data.get("at"))
    lists.wake(state)
    open_look(effects, data.get("at"))
    spill(effects, data.get("at"))


def _keep_outcome(effects: Effects, stored: dict[str, Any], *, repeated: bool) -> None:
    """Send the outcome to `past_outcomes`; the state keeps what lists show of it, and that the swap is over.

    A `repeated` one replaces the last of its kind, so that it takes no other VM's place.
    """
    state, outcome = effects.state, OutcomeRow.from_json(stored)
    kept = [row for row in state.finished if not (repeated and is_repeated(row, outcome))]
    state.finished = [*map(_shown, kept), _shown(outcome)][-KEEP_FINISHED:]
    # Otherwise the VM may still have to be brought up: it needs attention, or may be found again.
    if outcome.status != OutcomeStatus.NEEDS_ATTENTION and outcome.reason != Reason.VM_GONE:
        state.over = [*(run for run in state.over if run != outcome.run), outcome.run][-KEEP_OVER:]
    key = durable_names.vm_key(resource_id.id_hash(outcome.vm))
    data = {"outcome": stored, **given(repeated=repeated)}
    effects.signals.append(Signal(durable_names.PAST_OUTCOMES, key, PastOutcomesOperation.KEEP, data))


def _shown(row: OutcomeRow) -> OutcomeRow:
    limit = _MAX_ATTENTION if row.status == OutcomeStatus.NEEDS_ATTENTION else _MAX_MESSAGE
    return row.only(*_SHOWN).replace(message=row.message[:limit])


def _note_disks(state: DispatcherState, vm: str, row: RunningRow, outcome: swap.Outcome, at: Any) -> None:
    """Note what the outcome proves of the disks: the new one healthy, known to have run, or rejected."""
    new_disk = outcome.new_disk
    if outcome.status is OutcomeStatus.SUCCEEDED and new_disk:
        state.proved[resource_id.id_hash(vm)] = resource_id.id_hash(new_disk)
    if outcome.status in (OutcomeStatus.SUCCEEDED, OutcomeStatus.NOT_PROVEN) and new_disk:
        ways.note_way(state, vm, row, outcome.ended)
        _note_ran(state, vm, new_disk)
        state.rejected = [one for one in state.rejected if one.vm != vm or new_disk.lower() not in one.names]
    if outcome.reason == Reason.APP_FAILED and row.intent is not None:
        # A wish has one attempt: the swap's own tag write hints at the VM again, and a fault of the app would repeat.
        _note_rejected(state, vm, (row.intent.new_disk,), at)


def _note_down(state: DispatcherState, vm: str, row: RunningRow, outcome: swap.Outcome) -> None:
    """A VM that could not be brought up counts as down until a look or a later swap finds it up, or gone."""
    if outcome.status is OutcomeStatus.NEEDS_ATTENTION and row.intent is not None and row.intent.was_running:
        state.down[vm] = DownRow.from_json(row.only("id", "group").json)
    elif outcome.status not in (OutcomeStatus.REFUSED, OutcomeStatus.SKIPPED) or outcome.reason == Reason.VM_GONE:
        state.down.pop(vm, None)
