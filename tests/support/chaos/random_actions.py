"""What befalls the dispatcher's book by chance: what is delivered next, what once more, who edits, and what dies.

Decides how often each happens, and how everything comes to rest. Does not know what comes of it (`book_play`).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.support.chaos.dispatcher_simulation import VMS, Play

_MOST_ROUNDS = 200

# What may happen next; each takes the play and the chance that decides to whom.
type Deed = Callable[[Play, Random], None]


def _deliver(play: Play, chance: Random) -> None:
    if play.post:
        # Mostly in order, as a queue does: only then plays come far.
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
    """Let `deeds` things happen by chance."""
    for deed in chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=deeds):
        deed(play, chance)


def is_idle(play: Play) -> bool:
    """Whether the book has nothing to look at, nobody waiting and nobody under way."""
    return not any(play.state.get(part) for part in ("hints", "look", "queue", "running"))


def drain(play: Play) -> None:
    """Deliver what is under way, in order, until nothing happens any more."""
    for _ in range(_MOST_ROUNDS):
        if not play.post and not play.ready():
            return
        for letter in list(play.post):
            play.deliver(letter)
        for run in play.ready():
            play.go_on(run)
    raise AssertionError(f"there is no end: {sorted(play.talks)}")


def settle(play: Play, *, sweeps: int = 8) -> None:
    """The same, with sweeps in between."""
    for _ in range(sweeps):
        drain(play)
        play.sweep()
    drain(play)
