"""What one operation of the dispatcher changes, answers, starts, signals and logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from refresh.records.dispatcher_state import DispatcherState


@dataclass(frozen=True)
class Signal:
    """An operation of another entity, by the entity's name and key."""

    entity: str
    key: str
    operation: str
    data: dict[str, Any]


@dataclass
class Effects:
    """The new state, the answer, the orchestrations to start (name, instance id, input), the lines to log.

    `signals` go to other entities. `loud` lines are logged as errors.
    """

    state: DispatcherState
    answer: Any = None
    starts: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    loud: list[str] = field(default_factory=list)
