"""The ordered steps of a swap and of its undo.

Decides the steps, their order and the expected downtime. A plan is made once, before downtime, and stays in the
durable history. Does not know how a step is carried out.
"""

from __future__ import annotations

from enum import StrEnum

from refresh.domain.terms.stop_mode import StopMode

# Before any change: the `starting` event is published and its notice runs.
NOTICE = "notice"
# The intent is stored, and the first step has not begun.
INTENT = "intent"
# The undo begins; the names of its steps begin with this one.
UNDO = "undo"
# The health check of a VM that was swapped while it did not run, once it runs.
PROVE = "prove"


class Step(StrEnum):
    """A level-triggered step: it brings the VM into one state, whatever state it is in."""

    STOP = "stop"
    NEW_DISK = "new-disk"
    OLD_DISK = "old-disk"
    START = "start"
    HEALTH = "health"


_ORDER = (NOTICE, INTENT, *map(str, Step), UNDO, *(f"{UNDO}-{step}" for step in Step))


def rank_of(step: str | None) -> int | None:
    """The position of a step in the order of a swap and its undo; None for any other name."""
    return _ORDER.index(step) if step in _ORDER else None


# Recorded medians of Azure's own work in seconds: the stop, the VM update in that state, the start.
EXPECTED_S = {
    StopMode.DEALLOCATE: {Step.STOP: 25.6, Step.NEW_DISK: 0.9, Step.OLD_DISK: 0.9, Step.START: 12.6},
    StopMode.POWER_OFF: {Step.STOP: 8.7, Step.NEW_DISK: 2.8, Step.OLD_DISK: 2.8, Step.START: 5.5},
}


def plan_swap(was_running: bool) -> tuple[Step, ...]:
    """The steps that put the new disk in: a VM that did not run is neither stopped nor started."""
    return (Step.STOP, Step.NEW_DISK, Step.START, Step.HEALTH) if was_running else (Step.NEW_DISK,)


def plan_undo(was_running: bool) -> tuple[Step, ...]:
    """The steps that put the old disk back and prove it."""
    return (Step.STOP, Step.OLD_DISK, Step.START, Step.HEALTH) if was_running else (Step.OLD_DISK,)


def plan_revival() -> tuple[Step, ...]:
    """The steps for a VM of which only is known that it ran before: start it on whatever disk it has."""
    return (Step.START,)


def expected_down_s(steps: tuple[Step, ...], mode: StopMode) -> float:
    """Seconds the VM is expected not to run, from recorded medians; 0 when it is not stopped."""
    return round(sum(EXPECTED_S[mode].get(step, 0.0) for step in steps), 1) if Step.STOP in steps else 0.0
