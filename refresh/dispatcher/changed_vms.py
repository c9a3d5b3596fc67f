"""VMs whose OS disk others have changed since the app fulfilled their tags.

Decides which disk the app left a VM with, and when a refusal for such a change is news. A decision that a swap of the
app has made old does not count: the change may be that swap's own. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from refresh.dispatcher.effects import Effects
from refresh.dispatcher.hints import add_hint
from refresh.domain.swap.plan import INTENT, UNDO
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason
from refresh.records import swap
from refresh.records.dispatcher_state import Decided, DispatcherState, RunningRow
from refresh.records.fulfilled import FulfilledRow
from refresh.records.hint_rows import HintRow, TakenRow
from refresh.records.rows import given
from refresh.records.swap import OutcomeStatus

# In `told`: the event of a swap had the refusal, whichever disk the VM has.
ANY_DISK = "*"
_RUNS_NEW_DISK = (OutcomeStatus.SUCCEEDED, OutcomeStatus.NOT_PROVEN)
_RUNS_OLD_DISK = (OutcomeStatus.ROLLED_BACK, OutcomeStatus.REFUSED)


def note_outcome(state: DispatcherState, vm: str, row: RunningRow, outcome: swap.Outcome) -> None:
    """Note which disk swap `row` left the VM with. One without an intent, or that ends at it, has changed nothing.

    Where others have changed the disk meanwhile, it is the disk that the tag names, and the swap's own event has the
    refusal.
    """
    is_changed = outcome.reason == Reason.CHANGED_BY_OTHERS
    known = state.fulfilled.get(resource_id.id_hash(vm))
    if row.intent is None and is_changed and known is not None:
        _store(state, vm, known.replace(told=ANY_DISK))
    if row.intent is None or (row.proves_since and outcome.status == OutcomeStatus.SKIPPED):
        return
    if row.step == INTENT and outcome.status == OutcomeStatus.REFUSED:
        return
    disk = None
    if is_changed:
        disk = outcome.old_disk if (row.step or "").startswith(UNDO) else outcome.new_disk
    elif outcome.status in _RUNS_NEW_DISK:
        disk = outcome.new_disk
    elif outcome.status in _RUNS_OLD_DISK:
        disk = outcome.old_disk
    unique_id = row.intent.json.get("unique_id")
    unique = resource_id.id_hash(unique_id) if unique_id else None
    disk_hash = resource_id.id_hash(disk) if disk else None
    fields = given(disk=disk_hash, at=outcome.ended, vm=unique, told=is_changed and ANY_DISK)
    _store(state, vm, FulfilledRow(**fields))


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
    known = row.fulfilled or FulfilledRow()
    if row.os_disk is None or known.told == row.os_disk:
        return False
    _store(effects.state, vm, known.replace(told=row.os_disk))
    if known.told == ANY_DISK:
        return False
    effects.lines.append(f"{row.decision} {row.vm}: {row.reason}: {row.message}")
    return True


def note_agreement(state: DispatcherState, vm: str, row: Decided, at: str | None) -> None:
    """Note that tag and disk of the VM name the same disk again, by whomever: a later change starts from there."""
    known = row.fulfilled
    if row.reason != Reason.ALREADY_THERE or known is None or row.os_disk is None or vm in state.running:
        return
    latest = state.fulfilled.get(resource_id.id_hash(vm))
    if latest is not None and latest.at != known.at:
        return  # a swap has ended since the look
    if known.disk == row.os_disk:
        _store(state, vm, known.without("told"))
    else:
        _store(state, vm, FulfilledRow(disk=row.os_disk, **given(at=at, vm=known.vm)))


def keeps_place(state: DispatcherState, vm: str, row: Decided) -> bool:
    """Whether the queued swap of the VM was requested by a person, so that this refusal does not end it."""
    queued = state.queue.get(vm)
    if queued is None or not queued.asked or row.reason != Reason.CHANGED_BY_OTHERS:
        return False
    return resource_id.same(queued.wanted, row.wanted)


def _store(state: DispatcherState, vm: str, row: FulfilledRow) -> None:
    # The VM becomes the newest of the table.
    state.fulfilled.pop(resource_id.id_hash(vm), None)
    state.fulfilled[resource_id.id_hash(vm)] = row
