"""Pause and resume: whether swaps are started.

Decides which of two signals counts. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.dispatcher.effects import Effects
from refresh.dispatcher.looks import open_look
from refresh.dispatcher.queue import admit
from refresh.domain.terms import times
from refresh.records.dispatcher_state import DispatcherState, Pause, Switch

KEEP_SWITCHES = 20
_SKEW_S = 5.0


def pause(effects: Effects, data: Mapping[str, Any]) -> None:
    """Start no swap until resumed. A pause that comes again, or after a newer resume, does nothing."""
    # The clocks of ARM's front ends differ by a second or two: of two signals that are so close, the pause counts.
    if not _is_new(effects.state, data, slack_s=_SKEW_S):
        return
    effects.state.paused = Pause(since=data.get("at"), why=str(data.get("why", ""))[:200])


def resume(effects: Effects, data: Mapping[str, Any]) -> None:
    """Start swaps again. A resume that comes again, or after a newer pause, does nothing."""
    if not _is_new(effects.state, data, slack_s=0.0):
        return
    effects.state.paused = None
    admit(effects, data.get("at"))
    open_look(effects, data.get("at"))


def _is_new(state: DispatcherState, data: Mapping[str, Any], *, slack_s: float) -> bool:
    """Note this pause or resume; whether it counts: it is new, and not older than the last by more than `slack_s`."""
    last, key = state.switch or Switch(), data.get("id")
    if key is not None and key in last.ids:
        return False
    behind_s = times.seconds_between(data.get("at"), last.at) or 0.0
    ids = [*last.ids, *([str(key)] if key is not None else [])][-KEEP_SWITCHES:]
    state.switch = Switch(at=times.later(data.get("at"), last.at), ids=tuple(ids))
    return behind_s <= slack_s
