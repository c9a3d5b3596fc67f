"""Which VMs are looked at, which are being swapped, which wait and for what.

Decides the shape of the queue's view. Does not know where the dispatcher's state comes from.
"""

from __future__ import annotations

from typing import Any

from refresh.domain.terms import resource_id
from refresh.domain.vm.wish import disk_text
from refresh.records.dispatcher_state import DispatcherState, QueueRow, RunningRow
from refresh.views.dispatcher_state import DispatcherView

type Json = dict[str, Any]

UNKNOWN_CALLER = "unknown"


def queue_view(dispatcher: DispatcherView, max_swaps: int) -> Json:
    """The whole queue: `paused`, `running`, `waiting` in the order of admission, and `looking` (VM ids).

    `listing` are the subscriptions whose VMs are found in a list when the queue has room, with the number of VMs that
    the last list found and that are still to be looked at.
    `max_swaps` is the setting: the dispatcher reads it with the next look, before it admits the next VM.
    """
    state = dispatcher.state
    return {
        **pause_view(dispatcher.state),
        "max_swaps": max_swaps,
        "running": [_running(dispatcher, vm, row) for vm, row in state.running.items()],
        "waiting": [_waiting(dispatcher, vm, state.queue[vm]) for vm in dispatcher.in_order],
        "looking": dispatcher.looking,
        "listing": [{"subscription": row.id, "since": row.since, "vms": row.rest} for row in state.lists.values()],
    }


def pause_view(state: DispatcherState) -> Json:
    """Whether swaps are paused, since when, why and by whom, and who asked again; the same of the end of the last."""
    pause, resumed = state.paused, state.resumed
    return {
        "paused": pause is not None,
        "paused_since": pause.since if pause is not None else None,
        "paused_why": pause.why if pause is not None else None,
        "paused_by": (pause.by or UNKNOWN_CALLER) if pause is not None else None,
        "paused_also": [
            {"at": one.at, "why": one.why, "by": one.by or UNKNOWN_CALLER} for one in (pause.also if pause else ())
        ],
        "resumed_at": resumed.at if resumed is not None else None,
        "resumed_why": resumed.why if resumed is not None else None,
        "resumed_by": (resumed.by or UNKNOWN_CALLER) if resumed is not None else None,
    }


def _running(dispatcher: DispatcherView, vm: str, row: RunningRow) -> Json:
    intent = row.intent
    return {
        "vm": row.id,
        "run": dispatcher.run_of(vm),
        "since": row.since,
        "step": row.step,
        "old_disk": intent.old_disk if intent is not None else None,
        "new_disk": intent.new_disk if intent is not None else None,
    }


def _waiting(dispatcher: DispatcherView, vm: str, row: QueueRow) -> Json:
    wait = dispatcher.waits.get(vm)
    wanted = row.wanted or ""
    return {
        "vm": row.id,
        "wanted": disk_text(vm, wanted) if resource_id.parse(wanted) else wanted or None,
        "since": row.since,
        "reason": str(wait) if wait is not None else None,
        "message": dispatcher.why_waiting(vm),
    }
