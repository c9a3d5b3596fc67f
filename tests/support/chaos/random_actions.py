"""Random actions on the simulated dispatcher: deliveries, doubled deliveries, tag edits, pauses, sweeps and kills.

Decides how often each happens, and how the simulation comes to rest. Leaves the effects to
`dispatcher_simulation.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.support.chaos.dispatcher_simulation import VMS, DispatcherSimulation

_MOST_ROUNDS = 200

# One random action; it gets the simulation and the random source that selects its target.
type Action = Callable[[DispatcherSimulation, Random], None]


def _deliver(dispatcher: DispatcherSimulation, random: Random) -> None:
    if dispatcher.pending:
        # Mostly in order, as a queue delivers: otherwise few swaps end.
        dispatcher.deliver(dispatcher.pending[0] if random.random() < 0.7 else random.choice(dispatcher.pending))


def _deliver_again(dispatcher: DispatcherSimulation, random: Random) -> None:
    if dispatcher.sent:
        dispatcher.deliver(random.choice(dispatcher.sent[-20:] if random.random() < 0.5 else dispatcher.sent))


def _step(dispatcher: DispatcherSimulation, random: Random) -> None:
    if ready := dispatcher.ready():
        dispatcher.step(random.choice(ready))


def _start_again(dispatcher: DispatcherSimulation, random: Random) -> None:
    if dispatcher.started:
        dispatcher.start(random.choice(dispatcher.started))


def _kill(dispatcher: DispatcherSimulation, random: Random) -> None:
    if dispatcher.runs:
        dispatcher.kill(random.choice(list(dispatcher.runs)))


def _edit(dispatcher: DispatcherSimulation, random: Random) -> None:
    dispatcher.edit(random.choice(VMS), boots=random.random() < 0.6, hinted=random.random() < 0.8)


def _force(dispatcher: DispatcherSimulation, random: Random) -> None:
    dispatcher.force(random.choice(VMS))


def _switch(dispatcher: DispatcherSimulation, random: Random) -> None:
    dispatcher.switch(random.choice(("pause", "resume", "resume")))


def _check(dispatcher: DispatcherSimulation, random: Random) -> None:
    dispatcher.check(ok=random.random() < 0.5)


def _sweep(dispatcher: DispatcherSimulation, random: Random) -> None:
    dispatcher.sweep()


_WEIGHTS: dict[Action, int] = {
    _deliver: 40,
    _step: 30,
    _deliver_again: 14,
    _start_again: 3,
    _edit: 3,
    _force: 2,
    _switch: 3,
    _check: 2,
    _sweep: 3,
    _kill: 1,
}


def run_random_actions(dispatcher: DispatcherSimulation, random: Random, count: int) -> None:
    """Run `count` random actions."""
    for action in random.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=count):
        action(dispatcher, random)


def is_idle(dispatcher: DispatcherSimulation) -> bool:
    """Whether the dispatcher state has no hint, no open look, no waiting VM and no running swap."""
    return not any(dispatcher.state.get(part) for part in ("hints", "look", "queue", "running"))


def drain(dispatcher: DispatcherSimulation) -> None:
    """Deliver the pending messages, in order, until none is left and no orchestration can continue."""
    for _ in range(_MOST_ROUNDS):
        if not dispatcher.pending and not dispatcher.ready():
            return
        for message in list(dispatcher.pending):
            dispatcher.deliver(message)
        for run in dispatcher.ready():
            dispatcher.step(run)
    raise AssertionError(f"no end after many rounds: {sorted(dispatcher.runs)}")


def settle(dispatcher: DispatcherSimulation, *, sweeps: int = 8) -> None:
    """Drain with a sweep after each round."""
    for _ in range(sweeps):
        drain(dispatcher)
        dispatcher.sweep()
    drain(dispatcher)
