"""One operation of the dispatcher on stored JSON, for tests that compare what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from refresh.dispatcher.effects import Signal
from refresh.dispatcher.operations import apply as apply_to_state
from refresh.records.dispatcher_state import DispatcherState
from refresh.views.dispatcher_state import DispatcherView

type Json = dict[str, Any]


@dataclass
class Played:
    """The effects of an operation, its state as stored."""

    state: Json
    answer: Any = None
    starts: list[tuple[str, str, Json]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    loud: list[str] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)


def apply(stored: Json | None, operation: str, data: Any, package: str | None = None) -> Played:
    """Do one operation on the state that is stored as `stored`."""
    effects = apply_to_state(DispatcherState(stored), operation, data, package)
    return Played(effects.state.json, effects.answer, effects.starts, effects.lines, effects.loud, effects.signals)


def view_of(stored: Json | None = None) -> DispatcherView:
    """The views' input for the state that is stored as `stored`."""
    return DispatcherView(DispatcherState(stored))
