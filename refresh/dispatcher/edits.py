"""Edits that the sweep alone found: a sign that Event Grid's events do not arrive.

Decides which hints count and from when on it is logged. One event, about any VM, proves that events arrive. Does not
know why they do not. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from refresh.dispatcher.effects import Effects
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.records import swap
from refresh.records.dispatcher_state import Decided, DispatcherState
from refresh.records.hint_rows import EventsSeen, HintRow

# An event may come minutes late, and an edit may fall just before a sweep: so many sweeps in a row are no coincidence.
SWEEPS_BEFORE_LOGGED = 3
KEEP_VMS = 5


def note_event(state: DispatcherState, at: str | None) -> None:
    """Note that an event has arrived: the edits that sweeps found before it no longer count."""
    if state.events != EventsSeen(seen=at):
        state.events = EventsSeen(seen=at)


def source_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """The field of a hint about its source: the time of the sweep, and nothing for any other source."""
    return {"swept": data.get("at")} if data.get("source") == swap.FROM_SWEEP and data.get("at") else {}


def merge_sources(old: HintRow, new: HintRow) -> dict[str, Any]:
    """The field of two merged hints about their source: the sweep only where both come from it."""
    return {"swept": old.swept} if old.swept is not None and new.swept is not None else {}


def note_edits(effects: Effects, found: Iterable[tuple[str, str | None]]) -> None:
    """Count the edits (VM, time of the sweep) that a look decided to fulfil and that the sweep alone hinted at.

    Missing events are logged once for each sweep.
    """
    state = effects.state
    for vm, swept in found:
        events = state.events or EventsSeen()
        sweeps = [*(one for one in events.sweeps if one != swept), swept][-SWEEPS_BEFORE_LOGGED:]
        vms = [*(one for one in events.vms if one != vm), vm][-KEEP_VMS:]
        state.events = events = events.replace(since=events.since or swept, sweeps=sweeps, vms=vms)
        if are_missing(state) and events.told != swept:
            state.events = events.replace(told=swept)
            line = {"since": events.since, "last_event": events.seen, "vms": list(events.vms)}
            effects.loud.append(f"unreported {json.dumps(line, sort_keys=True)}")


def is_edit(hint: HintRow, row: Decided, *, is_news: bool) -> bool:
    """Whether decision `row` shows an edit that the sweep alone found: a wish to fulfil, decided so for the first time.

    A wish that an event reported, and that was refused or waits since, is found by every sweep and is no news.
    """
    is_wish = row.decision == DecisionKind.SWAP and row.reason == Reason.WANTED
    return hint.swept is not None and is_wish and is_news


def are_missing(state: DispatcherState) -> bool:
    """Whether three sweeps or more have found edits that no event reported since the last event."""
    return state.events is not None and len(state.events.sweeps) >= SWEEPS_BEFORE_LOGGED
