"""VMs that were swapped while they did not run: the health of their new disks is not proved yet.

Decides that such a VM is proved, or rolled back, at the first look that finds it running. See
`records.dispatcher_state` for the state.
"""

from __future__ import annotations

from refresh.dispatcher.hints import add_hint
from refresh.domain.terms import resource_id
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.records import swap
from refresh.records.dispatcher_state import Decided, DispatcherState, HintRow, RunningRow, UnprovenRow
from refresh.records.swap import OutcomeStatus

KEEP_UNPROVEN = 500
# The look reports these of a running VM whose disk is not to be proved now.
_HANDS_OFF = (Reason.ON_HOLD, Reason.NOT_IN_SCOPE, Reason.VM_GONE, Reason.UNREADABLE)


def note(state: DispatcherState, vm: str, row: RunningRow, outcome: swap.Outcome) -> None:
    """Note a VM whose swap proved nothing because it did not run; any other outcome of a swap removes the note."""
    unproven = state.unproven
    unproven.create()
    if outcome.reason == Reason.NOT_RUNNING and row.intent is not None:
        unproven[vm] = UnprovenRow(id=row.id, intent=row.intent, at=outcome.ended)
        while len(unproven) > KEEP_UNPROVEN:
            del unproven[next(iter(unproven))]
    elif outcome.status not in (OutcomeStatus.REFUSED, OutcomeStatus.SKIPPED) or outcome.reason == Reason.VM_GONE:
        unproven.pop(vm, None)


def hint_all(state: DispatcherState) -> None:
    """Hint at every VM whose disk is not proved."""
    for vm, row in state.unproven.items():
        add_hint(state, vm, HintRow(id=row.id))


def forget_if_settled(state: DispatcherState, vm: str, row: Decided) -> None:
    """Remove the note of a VM that is gone, or that decision `row` shows running another disk."""
    waiting = state.unproven.get(vm)
    if waiting is not None and (row.reason == Reason.VM_GONE or (row.up and not _runs_disk(waiting, row))):
        del state.unproven[vm]


def find_due(state: DispatcherState, vm: str, row: Decided) -> UnprovenRow | None:
    """The note of the VM of decision `row`, if it runs the disk that is not proved and has no other wish."""
    waiting = state.unproven.get(vm)
    if waiting is None or row.decision == DecisionKind.SWAP or row.reason in _HANDS_OFF or not row.up:
        return None
    return waiting if _runs_disk(waiting, row) else None


def _runs_disk(waiting: UnprovenRow, row: Decided) -> bool:
    disk = resource_id.parse(waiting.intent.new_disk or "")
    return disk is not None and disk.name.lower() == str(row.current or "").lower()
