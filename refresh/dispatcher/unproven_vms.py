"""VMs that were swapped while they did not run: the health of their new disks is not proved yet.

Decides that such a VM is proved, or rolled back, at the first look that finds it running. The notes about the newest of
them are in the state; the notes about all others are in `vm_memory`, and come with the look's decision. See
`records.dispatcher_state` for the state.
"""

from __future__ import annotations

from refresh.dispatcher.effects import Effects
from refresh.dispatcher.hints import add_hint
from refresh.dispatcher.spills import settle
from refresh.domain.terms import resource_id, times
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.records import swap
from refresh.records.dispatcher_state import Decided, DispatcherState, RunningRow, UnprovenRow
from refresh.records.hint_rows import HintRow
from refresh.records.swap import OutcomeStatus

KEEP_UNPROVEN = 500
# The look reports these of a running VM whose disk is not to be proved now.
_HANDS_OFF = (Reason.ON_HOLD, Reason.NOT_IN_SCOPE, Reason.VM_GONE, Reason.UNREADABLE)


def note(effects: Effects, vm: str, row: RunningRow, outcome: swap.Outcome) -> None:
    """Note a VM whose swap proved nothing because it did not run; any other outcome of a swap removes the note."""
    unproven = effects.state.unproven
    unproven.create()
    if outcome.reason == Reason.NOT_RUNNING and row.intent is not None:
        unproven.pop(vm, None)
        unproven[vm] = UnprovenRow(id=row.id, intent=row.intent, at=outcome.ended)
        while len(unproven) > KEEP_UNPROVEN:
            del unproven[next(iter(unproven))]
    elif _settles(outcome.status, outcome.reason):
        unproven.pop(vm, None)
        settle(effects, vm)


def _settles(status: str, reason: str) -> bool:
    """Whether a swap that ended so removes the note about its VM."""
    return status not in (OutcomeStatus.REFUSED, OutcomeStatus.SKIPPED) or reason == Reason.VM_GONE


def hint_all(state: DispatcherState) -> None:
    """Hint at every VM whose disk is not proved. The sweep itself hints at those in `vm_memory`."""
    for vm, row in state.unproven.items():
        add_hint(state, vm, HintRow(id=row.id))


def forget_if_settled(effects: Effects, vm: str, row: Decided) -> None:
    """Remove the note of a VM that is gone, or that decision `row` shows running another disk."""
    waiting = _note_about(effects.state, vm, row)
    if waiting is not None and (row.reason == Reason.VM_GONE or (row.up and not _runs_disk(waiting, row))):
        effects.state.unproven.pop(vm, None)
        settle(effects, vm)


def _note_about(state: DispatcherState, vm: str, row: Decided) -> UnprovenRow | None:
    """The note about a VM: the one in the state, else the one of `vm_memory` that came with decision `row`.

    The look may have read that one before a swap of the VM ended which removed it.
    """
    known = state.unproven.get(vm)
    if known is not None or row.unproven is None:
        return known
    ended = (one for one in state.finished if one.vm.lower() == vm and _settles(one.status, one.reason))
    is_old = any((times.seconds_between(row.unproven.at, one.ended) or 0.0) > 0 for one in ended)
    return None if is_old else row.unproven


def find_due(state: DispatcherState, vm: str, row: Decided) -> UnprovenRow | None:
    """The note of the VM of decision `row`, if it runs the disk that is not proved and has no other wish."""
    waiting = _note_about(state, vm, row)
    if waiting is None or row.decision == DecisionKind.SWAP or row.reason in _HANDS_OFF or not row.up:
        return None
    return waiting if _runs_disk(waiting, row) else None


def _runs_disk(waiting: UnprovenRow, row: Decided) -> bool:
    disk = resource_id.parse(waiting.intent.new_disk or "")
    return disk is not None and disk.name.lower() == str(row.current or "").lower()
