"""Decisions, the queue and admission: from the answer of a look to a started swap.

Decides how a decision changes the queue and when it is logged. Leaves which VMs may start to `domain.swap.admission`.
See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from refresh.dispatcher import announced, broken_vms, lists, unproven_vms, unread_vms
from refresh.dispatcher.edits import is_edit, note_edits
from refresh.dispatcher.effects import Effects
from refresh.dispatcher.hints import add_hint, merged
from refresh.dispatcher.looks import answer_taken, hint_again
from refresh.domain.swap.admission import Admission, AdmissionRow, Limits, choose_admissions, choose_next
from refresh.domain.swap.plan import PROVE
from refresh.domain.terms import resource_id
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.encodable import encodable
from refresh.domain.terms.swap_reason import Reason, Wait
from refresh.records import durable_names, swap
from refresh.records.dispatcher_state import (
    BadOperation,
    Budgets,
    Decided,
    DispatcherState,
    QueueRow,
    RunningRow,
    StoredIntent,
    UnprovenRow,
)
from refresh.records.durable_names import Operation
from refresh.records.hint_rows import HintRow
from refresh.records.rows import given

_CLAIM_KEEPS = ("id", "force", "reply_to", "group", "wanted", "intent", "step", "proves_since", "urgent")


def decided(effects: Effects, data: Mapping[str, Any]) -> None:
    """Take a look's decisions: `swap` goes to the queue, any other leaves it and is logged once.

    Answers the VMs whose decision counted: none that the look has not taken, or no longer has.
    """
    state = effects.state
    rows = _readable_rows(effects, data["decisions"])
    taken = state.look.taken if state.look is not None else {}
    decided_now = answer_taken(state, data, rows)
    again = hint_again(state, taken, {vm: rows[vm] for vm in decided_now})
    counted = [vm for vm in decided_now if vm not in again]
    effects.answer = {"vms": counted}
    if decided_now and data.get("budgets"):
        state.budgets = Budgets.from_json(dict(data["budgets"]))
    edits = [vm for vm in counted if is_edit(taken[vm], rows[vm], is_news=announced.is_news(state, rows[vm]))]
    note_edits(effects, [(rows[vm].vm, taken[vm].swept) for vm in edits])
    state.queue.create()
    for vm in counted:
        try:
            _decide_one(effects, vm, rows[vm], data.get("at"))
        except Exception as error:  # the decisions about the other VMs still count
            state.queue.pop(vm, None)
            why = f"{type(error).__name__}: {error}"
            broken_vms.note_failure(effects, vm, rows[vm].vm, Operation.DECIDED, why, data.get("at"))
    admit(effects, data.get("at"))


def _readable_rows(effects: Effects, decisions: Iterable[Any]) -> dict[str, Decided]:
    """The decisions by lower-case VM id; one that cannot be read is kept under `bad` and refuses its VM."""
    rows = {}
    for stored in decisions:
        try:
            row = _read_row(stored)
            rows[row.vm.lower()] = row
        except Exception as error:
            why = encodable(f"{type(error).__name__}: {error}"[:200])
            broken_vms.keep_bad(effects.state, BadOperation(operation=Operation.DECIDED, why=why))
            effects.loud.append(f"a decision cannot be read: {why}")
            vm = stored.get("vm") if isinstance(stored, Mapping) else None
            if isinstance(vm, str) and vm:  # else the look would be given the VM again, for ever
                refusal = {"decision": str(DecisionKind.REFUSE), "reason": str(Reason.APP_FAILED), "message": why}
                rows[vm.lower()] = Decided.from_json({"vm": vm, **refusal})
    return rows


def _read_row(stored: Mapping[str, Any]) -> Decided:
    """One decision. TypeError or BadRecord when a field is missing or of another type."""
    row = Decided.from_json(dict(stored))
    texts = (row.vm, row.decision, row.reason, row.message, row.wanted, row.current, row.group, row.lost)
    wrong = next((one for one in (*texts, *row.reply_to) if one is not None and not isinstance(one, str)), None)
    if wrong is not None or not all(texts[:3]):
        raise TypeError(f"{wrong!r:.40} is no text")
    return row


def _decide_one(effects: Effects, vm: str, row: Decided, at: str | None) -> None:
    state = effects.state
    if row.reason == Reason.APP_FAILED:
        broken_vms.note_failure(effects, vm, row.vm, durable_names.LOOK, row.message, at)
    elif row.decision != DecisionKind.SWAP:
        broken_vms.forget(state, vm)
    if row.up or row.reason in (Reason.VM_GONE, Reason.NOT_IN_SCOPE):
        state.down.pop(vm, None)
    unread_vms.note_decision(state, row, at)
    unproven_vms.forget_if_settled(effects, vm, row)
    due = unproven_vms.find_due(state, vm, row)
    if row.decision == DecisionKind.SWAP:
        _queue_swap(state, vm, row, at)
    elif due is not None and vm not in state.running:
        _queue_proof(state, vm, row, due, at)
    else:
        state.queue.pop(vm, None)
    announced.log_once(effects, vm, row)


def _queue_swap(state: DispatcherState, vm: str, row: Decided, at: str | None) -> None:
    hint = HintRow(id=row.vm, **given(force=row.force, reply_to=row.reply_to))
    if vm in state.running:
        add_hint(state, vm, hint)
        return
    old, kept = state.queue.get(vm), given(wanted=row.wanted, group=row.group)
    if row.reason == Reason.RECOVER:
        kept["urgent"] = True
    elif row.back or (row.wanted and resource_id.id_hash(row.wanted) in state.ran.get(resource_id.id_hash(row.vm), ())):
        kept["back"] = True
    if old is None:
        new = QueueRow.from_json(hint.json).replace(**kept, since=at)
        if lists.keeps_out(state, new):  # the tag stays, and a list finds the VM again
            lists.mark(state, lists.subscription_of(vm), at, resting=True)
        else:
            state.queue[vm] = new
        return
    if old.proves_since:  # a newer wish: the disk that was to be proved is about to be replaced
        old = old.only("since")
    if old.wanted != kept.get("wanted"):  # the force was meant for that disk alone
        old = old.without("force")
    state.queue[vm] = merged(old.without("urgent", "back"), hint).replace(**kept, since=old.since or at)


def _queue_proof(state: DispatcherState, vm: str, row: Decided, due: UnprovenRow, at: str | None) -> None:
    """Queue a swap that only proves the disk: it begins with the intent of the swap before it, as of a running VM."""
    old = state.queue.get(vm)
    state.queue[vm] = QueueRow(
        id=row.vm,
        group=row.group,
        since=(old.since if old is not None else None) or at,
        intent=due.intent.replace(was_running=True),
        step=PROVE,
        proves_since=due.at,
    )


def admit(effects: Effects, at: str | None) -> None:
    """Start every swap that may start now."""
    state = effects.state
    state.queue.create()
    state.running.create()
    for vm in _next_of(state):
        # This swap reads the VM afresh before it does anything, so it answers a hint that came meanwhile; but not one
        # with force, which requests more than the decision was about.
        row, hint = state.queue.pop(vm), state.hints.get(vm)
        if hint is not None and not hint.force:
            row = merged(row, state.hints.pop(vm))
        if _is_down(state, vm, row):
            row = row.replace(urgent=True)
        start_swap(effects, vm, RunningRow.from_json(row.only(*_CLAIM_KEEPS).json), at)


def _next_of(state: DispatcherState) -> tuple[str, ...]:
    queue = ((vm, _queued_row(state, vm, state.queue[vm])) for vm in in_order(state))
    return choose_next(queue, _running_rows(state), limits_of(state), down=_down_rows(state))


def admission_of(state: DispatcherState) -> Admission:
    """Which VMs may start now, and why each of the others waits."""
    queue = {vm: _queued_row(state, vm, row) for vm, row in state.queue.items()}
    return choose_admissions(queue, _running_rows(state), limits_of(state), down=_down_rows(state))


def wait_as_swap(state: DispatcherState, vm: str, row: RunningRow, intent: StoredIntent) -> Wait | None:
    """Why swap `row`, which was admitted to start a VM that is down, may not do what `intent` says; None if it may.

    A VM that runs again by then would be stopped: its swap has to wait like any other.
    """
    disks = frozenset(disk.lower() for disk in (intent.old_disk, intent.new_disk) if disk)
    asked = AdmissionRow(row.group, disks, down=not intent.was_running)
    running = {other: each for other, each in _running_rows(state).items() if other != vm}
    return choose_admissions({vm: asked}, running, limits_of(state), down=_down_rows(state)).waiting.get(vm)


def in_order(state: DispatcherState) -> Iterator[str]:
    """The queued VMs in the order of their admission: VMs that are down, swaps back, all others; see `admission`.

    Reads the stored rows as they are, because the queue may have 10,000 of them.
    """
    rows, down = state.read_table("queue"), state.read_table("down")
    marked = [(vm, row) for vm, row in rows.items() if "urgent" in row or "intent" in row or vm in down]
    first = [vm for vm, row in marked if row.get("urgent") or vm in down or _has_begun(row)]
    yield from first
    ahead = set(first)
    back = [vm for vm, row in rows.items() if "back" in row and row["back"] and vm not in ahead]
    yield from back
    ahead.update(back)
    yield from (vm for vm in rows if vm not in ahead)


def _has_begun(row: Mapping[str, Any]) -> bool:
    return bool(row.get("intent")) and not row.get("proves_since")


def _is_down(state: DispatcherState, vm: str, row: QueueRow) -> bool:
    """Whether a swap has left the VM down, as far as is known. A VM whose disk is to be proved runs."""
    return row.urgent or vm in state.down or _has_begun(row.json)


def limits_of(state: DispatcherState) -> Limits:
    """The budgets, the pause and the self-check, as admission reads them."""
    budgets = budgets_of(state)
    return Limits(budgets.max_swaps, budgets.max_starts, paused=state.paused is not None, unchecked=is_unchecked(state))


def budgets_of(state: DispatcherState) -> Budgets:
    """The budgets of the last look, or the defaults before the first."""
    return state.budgets or Budgets()


def _running_rows(state: DispatcherState) -> dict[str, AdmissionRow]:
    return {
        vm: replace(_admission_row(state, vm, row), idle=row.attention_reason == Reason.NO_CAPACITY)
        for vm, row in state.running.items()
    }


def _down_rows(state: DispatcherState) -> dict[str, AdmissionRow]:
    return {vm: AdmissionRow(row.group) for vm, row in state.down.items()}


def is_unchecked(state: DispatcherState) -> bool:
    """Whether swaps wait for a self-check, and the last one did not pass or was of another package."""
    if not budgets_of(state).selfcheck:
        return False
    last = state.selfcheck
    return last is None or not last.ok or last.package != state.package


def _admission_row(state: DispatcherState, vm: str, row: QueueRow) -> AdmissionRow:
    intent = row.intent
    disks = (row.wanted, intent.old_disk, intent.new_disk) if intent is not None else (row.wanted,)
    return AdmissionRow(
        row.group,
        frozenset(disk.lower() for disk in disks if disk),
        urgent=intent is not None or row.urgent or vm in state.down,
        down=row.urgent,
        back=row.back,
    )


def _queued_row(state: DispatcherState, vm: str, row: QueueRow) -> AdmissionRow:
    # A VM that is only started (`urgent`) keeps the disk that it has, whatever its tag names.
    found = _admission_row(state, vm, row)
    return replace(found, down=_is_down(state, vm, row), disks=frozenset() if row.urgent else found.disks)


def start_swap(effects: Effects, vm: str, row: RunningRow, at: str | None) -> None:
    """Store the VM's claim under a new number and start its swap; operations with its old number no longer count."""
    n = effects.state.next_number()
    effects.state.running[vm] = row.replace(n=n, since=at).without("missing")
    data = {"vm": row.id, "n": n, swap.BOUNDED: True}
    effects.starts.append((durable_names.SWAP_VM, durable_names.swap_id(vm, n), data))
