"""What is known about VMs, with late, doubled and reordered messages between the dispatcher and `vm_memory`."""

from __future__ import annotations

from random import Random

import pytest

from tests.support.chaos.memory_simulation import MemorySimulation, random_actions

FEW, MANY = 130, 400


@pytest.mark.parametrize("seed", range(6))
def test_nothing_known_about_a_vm_is_lost(seed: int) -> None:
    """After every message a reader finds the last disks of each VM, the proved one, and every note that counts."""
    play, chance = MemorySimulation(), Random(seed)  # noqa: S311 # fixed seeds
    random_actions(play, chance, 600, vms=FEW if seed % 2 else MANY)
    play.drain()
    for _ in range(4):
        play.sweep()
        play.drain()
        play.check()
    play.check_notes()
    play.check_fulfilled()
    assert len(play.state["ran"]) <= 101
    assert len(play.state["unproven"]) <= 11


def test_messages_that_come_again_much_later_change_nothing() -> None:
    """Every message of 60 swaps is delivered once more, in another order."""
    play, chance = MemorySimulation(), Random(5)  # noqa: S311 # fixed seeds
    random_actions(play, chance, 600, vms=FEW)
    play.drain()
    for message in chance.sample(play.sent, len(play.sent)):
        play.deliver(message)
    play.drain()
    play.check()
    play.check_notes()
    play.check_fulfilled()
