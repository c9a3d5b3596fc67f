"""VMs whose OS disk others have changed since the app fulfilled their tags.

Decides which disk the app left a VM with, and when a refusal for such a change is news. A decision that a swap of the
app has made old does not count: the change may be that swap's own. The rows are in `vm_memory`; the newest are in the
state as well, because a message to that entity takes a moment. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from refresh.dispatcher.effects import Effects, Signal
from refresh.dispatcher.hints import add_hint
from refresh.domain.swap.plan import INTENT, UNDO
from refresh.domain.terms import resource_id, times
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import disk_key
from refresh.records import durable_names, swap
from refresh.records.dispatcher_state import Decided, DispatcherState, RunningRow
from refresh.records.durable_names import VmMemoryOperation
from refresh.records.fulfilled import FulfilledRow, read_keys
from refresh.records.hint_rows import HintRow, TakenRow
from refresh.records.rows import given
from refresh.records.swap import OutcomeStatus

KEEP_VMS = 20
_RUNS_NEW_DISK = (OutcomeStatus.SUCCEEDED, OutcomeStatus.NOT_PROVEN)
_RUNS_OLD_DISK = (OutcomeStatus.ROLLED_BACK, OutcomeStatus.REFUSED)


def note_outcome(effects: Effects, vm: str, row: RunningRow, outcome: swap.Outcome) -> None:
    """Note which disk swap `row` left the VM with. One without an intent, or that ends at it, has changed nothing.

    Where others have changed the disk meanwhile, it is the disk that the tag names: the refusal of a look follows.
    """
    is_changed = outcome.reason == Reason.CHANGED_BY_OTHERS
    if row.intent is None or (row.proves_since and outcome.status == OutcomeStatus.SKIPPED):
        return
    if row.step == INTENT and outcome.status == OutcomeStatus.REFUSED:
        return
    disk = None
    if is_changed:
        disk = row.intent.old_disk if (row.step or "").startswith(UNDO) else row.intent.new_disk
    elif outcome.status in _RUNS_NEW_DISK:
        disk = outcome.new_disk
    elif outcome.status in _RUNS_OLD_DISK:
        disk = outcome.old_disk
    key = disk_key(row.intent.json.get("unique_id"), disk) if disk else None
    fields = given(disk=key, at=times.in_seconds(outcome.ended))
    _store(effects, vm, FulfilledRow(**fields))


def hint_at_old(
    state: DispatcherState, taken: Mapping[str, TakenRow], rows: Mapping[str, Decided], vms: Iterable[str]
) -> set[str]:
    """Hint again at those of `vms` that were decided about with what a swap has changed since; returns them."""
    old = {vm for vm in vms if _is_old(state, vm, rows[vm])}
    for vm in old:
        add_hint(state, vm, HintRow.from_json(taken[vm].without("batch").json))
    return old


def _is_old(state: DispatcherState, vm: str, row: Decided) -> bool:
    if row.reason != Reason.CHANGED_BY_OTHERS:
        return False
    known = state.fulfilled.get(resource_id.id_hash(vm))
    based_on = row.fulfilled or FulfilledRow()
    is_same = known is None or (known.disk, known.at) == (based_on.disk, based_on.at)
    return vm in state.running or not is_same


def note_change(effects: Effects, vm: str, row: Decided) -> bool:
    """Whether the refusal of decision `row` is news: the first about the disk that the VM runs. It is logged once."""
    known = effects.state.fulfilled.get(resource_id.id_hash(vm)) or row.fulfilled or FulfilledRow()
    if row.os_disk is None or known.told == row.os_disk:
        return False
    _store(effects, vm, known.replace(told=row.os_disk))
    effects.lines.append(f"{row.decision} {row.vm}: {row.reason}: {row.message}")
    return True


def note_agreement(effects: Effects, vm: str, row: Decided, at: str | None) -> None:
    """Note that the VM runs the disk of its tag again, whatever made it so: a later change starts from there."""
    state, known = effects.state, row.fulfilled
    if row.reason != Reason.ALREADY_THERE or known is None or row.os_disk is None or vm in state.running:
        return
    latest = state.fulfilled.get(resource_id.id_hash(vm))
    if latest is not None and latest.at != known.at:
        return  # a swap has ended since the look
    if known.disk == row.os_disk:
        _store(effects, vm, known.without("told"))
    else:
        _store(effects, vm, FulfilledRow(disk=row.os_disk, **given(at=times.in_seconds(at))))


def keeps_place(state: DispatcherState, vm: str, row: Decided) -> bool:
    """Whether the queued swap of the VM was requested by a person, so that this refusal does not end it."""
    queued = state.queue.get(vm)
    if queued is None or not queued.asked or row.reason != Reason.CHANGED_BY_OTHERS:
        return False
    return resource_id.same(queued.wanted, row.wanted)


def _store(effects: Effects, vm: str, row: FulfilledRow) -> None:
    state, vm_hash = effects.state, resource_id.id_hash(vm)
    newest = state.fulfilled
    newest.pop(vm_hash, None)
    newest[vm_hash] = row
    while len(newest) > KEEP_VMS:
        del newest[next(iter(newest))]
    key = durable_names.vm_key(vm_hash)
    keys = read_keys(state.filled)
    if key not in keys:
        state.filled = "".join(sorted((*keys, key)))
    data = {"vm": vm_hash, "row": row.json}
    effects.signals.append(Signal(durable_names.VM_MEMORY, key, VmMemoryOperation.FULFILL, data))
