"""VMs that could not be read: how long a sweep's hints at them are left out.

Decides the pauses, so that many unreadable VMs do not keep looks busy. An event, a request and a deployment have such a
VM looked at at once. Does not know why a VM cannot be read. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from refresh.domain.terms import resource_id, times
from refresh.domain.terms.swap_reason import Reason
from refresh.records.dispatcher_state import Decided, DispatcherState
from refresh.records.hint_rows import UnreadRow

KEEP_UNREAD = 300
# The first sweep after a failed read still counts: what was wrong is over in most cases.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 240.0, 3600.0


def note_decision(state: DispatcherState, row: Decided, at: str | None) -> None:
    """Note whether the VM of a decision could be read."""
    key = resource_id.id_hash(row.vm)
    old = state.unread.get(key)
    if row.reason != Reason.UNREADABLE:
        if old is not None:
            del state.unread[key]
        return
    state.unread.pop(key, None)
    state.unread[key] = UnreadRow(times=(old.times if old is not None else 0) + 1, at=at)
    while len(state.unread) > KEEP_UNREAD:
        del state.unread[next(iter(state.unread))]


def is_unread(state: DispatcherState, vm: str) -> bool:
    """Whether the last look could not read a VM."""
    return bool(state.read_table("unread")) and resource_id.id_hash(vm) in state.unread


def is_too_early(state: DispatcherState, vm: str, at: str | None) -> bool:
    """Whether a sweep at `at` must not have a VM looked at yet: the pauses double with each look that failed."""
    row = state.unread.get(resource_id.id_hash(vm)) if state.read_table("unread") else None
    if row is None or vm in state.down:
        return False
    pause_s = min(FIRST_PAUSE_S * 2.0 ** (min(row.times, 20) - 1), LONGEST_PAUSE_S)
    waited_s = times.seconds_between(row.at, at)
    return waited_s is not None and 0 <= waited_s < pause_s
