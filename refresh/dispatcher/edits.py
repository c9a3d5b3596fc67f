"""Edits that the sweep alone found: a sign that Event Grid's events do not arrive.

Decides which hints count and from when on it is said. One event that arrives, about whatever VM, proves that events do.
Does not know why they do not arrive. See `ledger` for the state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from refresh.dispatcher.effects import Json, Turn
from refresh.domain.terms.swap_reason import Reason
from refresh.records import swap

# An event may come minutes late, and an edit may fall just before a sweep: that many sweeps in a row are no chance.
SWEEPS_BEFORE_SAID = 3
KEEP_VMS = 5


def note_event(state: Json, data: Mapping[str, Any]) -> None:
    """An event has arrived: what the sweep found before does not count any more."""
    if data.get("source") == swap.FROM_EVENT:
        state["events"] = {"seen": data.get("at")}


def source_of(data: Mapping[str, Any]) -> Json:
    """What a hint row keeps of who hinted: the time of the sweep, and nothing for any other hint."""
    return {"swept": data.get("at")} if data.get("source") == swap.FROM_SWEEP and data.get("at") else {}


def merge_sources(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    """What two hints for one VM, merged, keep of who hinted: the sweep alone only where both are the sweep's."""
    return {"swept": old["swept"]} if "swept" in old and "swept" in new else {}


def note_edits(turn: Turn, found: Iterable[tuple[str, str]]) -> None:
    """Count the edits (VM, time of the sweep) that a look decided to fulfil and that the sweep alone hinted at.

    What is missing is told once for each sweep.
    """
    state = turn.state
    for vm, swept in found:
        events: Json = state.setdefault("events", {})
        events["since"] = events.get("since") or swept
        events["sweeps"] = [*(one for one in events.get("sweeps", []) if one != swept), swept][-SWEEPS_BEFORE_SAID:]
        events["vms"] = [*(one for one in events.get("vms", []) if one != vm), vm][-KEEP_VMS:]
        if are_missing(state) and events.get("told") != swept:
            events["told"] = swept
            said = {"since": events["since"], "last_event": events.get("seen"), "vms": events["vms"]}
            turn.loud.append(f"unreported {json.dumps(said, sort_keys=True)}")


def is_edit(hint: Mapping[str, Any], row: Mapping[str, Any], *, is_news: bool) -> bool:
    """Whether decision `row` shows an edit that the sweep alone found: a wish to fulfil, decided so for the first time.

    A wish that an event reported, and that was refused or waits since, is found by every sweep and is no news.
    """
    return "swept" in hint and row["decision"] == "swap" and row["reason"] == Reason.WANTED and is_news


def are_missing(state: Mapping[str, Any]) -> bool:
    """Whether edits were found by the sweep alone in three sweeps or more since an event arrived last."""
    return len(state.get("events", {}).get("sweeps", ())) >= SWEEPS_BEFORE_SAID
