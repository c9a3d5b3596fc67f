"""Random actions on the simulated dispatcher: deliveries, doubled deliveries, tag edits, pauses, sweeps and kills.

Decides how often each happens, and how the simulation comes to rest. Leaves their effects to `dispatcher_simulation.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.support.chaos.dispatcher_simulation import VMS, Play

_MOST_ROUNDS = 200

# One random action; it gets the simulation and the random source that selects its target.
type Deed = Callable[[Play, Random], None]


def _deliver(play: Play, chance: Random) -> None:
    if play.post:
        # Mostly in order, as a queue delivers: otherwise few swaps end.
        play.deliver(play.post[0] if chance.random() < 0.7 else chance.choice(play.post))


def _deliver_again(play: Play, chance: Random) -> None:
    if play.sent:
        play.deliver(chance.choice(play.sent[-20:] if chance.random() < 0.5 else play.sent))


def _go_on(play: Play, chance: Random) -> None:
    if ready := play.ready():
        play.go_on(chance.choice(ready))


def _start_again(play: Play, chance: Random) -> None:
    if play.begun:
        play.start(chance.choice(play.begun))


def _kill(play: Play, chance: Random) -> None:
    if play.talks:
        play.kill(chance.choice(list(play.talks)))


def _edit(play: Play, chance: Random) -> None:
    play.edit(chance.choice(VMS), boots=chance.random() < 0.6, hinted=chance.random() < 0.8)


def _insist(play: Play, chance: Random) -> None:
    play.insist(chance.choice(VMS))


def _switch(play: Play, chance: Random) -> None:
    play.switch(chance.choice(("pause", "resume", "resume")))


def _check(play: Play, chance: Random) -> None:
    play.check(ok=chance.random() < 0.5)


def _sweep(play: Play, chance: Random) -> None:
    play.sweep()


_WEIGHTS: dict[Deed, int] = {
    _deliver: 40,
    _go_on: 30,
    _deliver_again: 14,
    _start_again: 3,
    _edit: 3,
    _insist: 2,
    _switch: 3,
    _check: 2,
    _sweep: 3,
    _kill: 1,
}


def go_wild(play: Play, chance: Random, deeds: int) -> None:
    """Run `count` random actions."""
    for deed in chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=deeds):
        deed(play, chance)


def is_idle(play: Play) -> bool:
    """Whether the dispatcher state has no hint, no open look, no waiting VM and no running swap."""
    return not any(play.state.get(part) for part in ("hints", "look", "queue", "running"))


def drain(play: Play) -> None:
    """Deliver the pending messages, in order, until none is left and no orchestration can continue."""
    for _ in range(_MOST_ROUNDS):
        if not play.post and not play.ready():
            return
        for letter in list(play.post):
            play.deliver(letter)
        for run in play.ready():
            play.go_on(run)
    raise AssertionError(f"no end after many rounds: {sorted(play.talks)}")


def settle(play: Play, *, sweeps: int = 8) -> None:
    """Drain with a sweep after each round."""
    for _ in range(sweeps):
        drain(play)
        play.sweep()
    drain(play)
