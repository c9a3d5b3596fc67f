"""The ordered steps of a swap and of its undo.

Decides what is done in which order and how long it should take. Made once, before downtime, and frozen in the durable
history; refuses to know how a step is carried out.
"""

from __future__ import annotations

from enum import StrEnum

from refresh.domain.terms.stop_mode import StopMode

# Where a swap stands before its first step, and what the names of the steps of the way back begin with.
INTENT = "intent"
# Before that: people are told and have their time, and nothing has been touched.
NOTICE = "notice"
UNDO = "undo"
# A VM that was swapped while it did not run is proved when it does.
PROVE = "prove"


class Step(StrEnum):
    """A level-triggered step: each makes one thing so, whatever was before."""

    STOP = "stop"
    NEW_DISK = "new-disk"
    OLD_DISK = "old-disk"
    START = "start"
    HEALTH = "health"


_ORDER = (NOTICE, INTENT, *map(str, Step), UNDO, *(f"{UNDO}-{step}" for step in Step))


def rank_of(step: str | None) -> int | None:
    """Where a step stands in the order in which a swap takes them, there and back; None for one of another order."""
    return _ORDER.index(step) if step in _ORDER else None


# Recorded medians of Azure's own work in seconds: stopping, a VM update while stopped so, starting again.
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
    """The steps for a VM of which nothing is known but that it ran: bring it up on whatever disk it has."""
    return (Step.START,)


def expected_down_s(steps: tuple[Step, ...], mode: StopMode) -> float:
    """Seconds the VM is expected not to run, from recorded medians; 0 when it is not stopped."""
    return round(sum(EXPECTED_S[mode].get(step, 0.0) for step in steps), 1) if Step.STOP in steps else 0.0
