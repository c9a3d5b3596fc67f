"""Pause and resume: whether swaps are started.

Decides which of two signals counts, and that the first of two pauses is the one that is shown.
See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.dispatcher.effects import Effects
from refresh.dispatcher.looks import open_look
from refresh.dispatcher.queue import admit
from refresh.domain.terms import times
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.pause_rows import FurtherPause, Pause, Resumption, Switch
from refresh.records.rows import given

KEEP_SWITCHES = 20
KEEP_FURTHER = 5
_SKEW_S = 5.0


def pause(effects: Effects, data: Mapping[str, Any]) -> None:
    """Start no swap until resumed. A pause that comes again, or after a newer resume, does nothing.

    One that comes during another keeps the time, the reason and the caller of the first, and is kept beside it.
    """
    # The clocks of ARM's front ends differ by a second or two: of two signals that are so close, the pause counts.
    if not _is_new(effects.state, data, slack_s=_SKEW_S):
        return
    first, asked = effects.state.paused, _asked(data)
    if first is not None:
        further = FurtherPause(at=data.get("at"), why=_why(data), **given(by=data.get("by")))
        effects.state.paused = first.replace(also=(*first.also, further)[-KEEP_FURTHER:])
        effects.lines.append(f"pause asked {asked}: paused since {first.since} by {first.by or 'unknown'} already")
        return
    effects.state.paused = Pause(since=data.get("at"), why=_why(data), **given(by=data.get("by")))
    effects.lines.append(f"paused {asked}")


def resume(effects: Effects, data: Mapping[str, Any]) -> None:
    """Start swaps again. A resume that comes again, or after a newer pause, does nothing."""
    if not _is_new(effects.state, data, slack_s=0.0):
        return
    first = effects.state.paused
    if first is not None:
        if data.get("by"):  # an older version's resume names no caller
            effects.state.resumed = Resumption(at=data.get("at"), **given(why=_why(data), by=data["by"]))
        effects.lines.append(f"resumed {_asked(data)}: was paused since {first.since} by {first.by or 'unknown'}")
    effects.state.paused = None
    admit(effects, data.get("at"))
    open_look(effects, data.get("at"))


def _why(data: Mapping[str, Any]) -> str:
    return str(data.get("why", ""))[:200]


def _asked(data: Mapping[str, Any]) -> str:
    """By whom and why, for the log."""
    return f"by {data.get('by') or 'unknown'}" + (f" ({_why(data)})" if _why(data) else "")


def _is_new(state: DispatcherState, data: Mapping[str, Any], *, slack_s: float) -> bool:
    """Note this pause or resume; whether it counts: it is new, and not older than the last by more than `slack_s`."""
    last, key = state.switch or Switch(), data.get("id")
    if key is not None and key in last.ids:
        return False
    behind_s = times.seconds_between(data.get("at"), last.at) or 0.0
    ids = [*last.ids, *([str(key)] if key is not None else [])][-KEEP_SWITCHES:]
    state.switch = Switch(at=times.later(data.get("at"), last.at), ids=tuple(ids))
    return behind_s <= slack_s
