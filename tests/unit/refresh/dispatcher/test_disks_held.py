"""Disks that the dispatcher's state refers to after its own operations."""

from __future__ import annotations

from refresh.reading.retention.holders import held_among
from refresh.records.dispatcher_state import DispatcherState
from tests.support.worlds.builders import VM_ID, disk_id
from tests.unit.refresh.dispatcher.test_operations import CLAIM, HINT, STEP, TAKE, decided, finished, play

OLD, NEW, OTHER = disk_id("old"), disk_id("new"), disk_id("other")


def test_a_disk_is_held_from_the_wish_to_the_end_and_after() -> None:
    """A disk of a swap that is queued, claimed, under way or succeeded is held; after the swap both its disks are."""
    after_look = play(HINT, TAKE, decided(wanted=NEW))
    assert list(held_among([OLD, NEW, OTHER], DispatcherState(after_look.state))) == [NEW]
    under_way = play(CLAIM, STEP, state=after_look.state)
    assert list(held_among([OLD, NEW, OTHER], DispatcherState(under_way.state))) == [OLD, NEW]
    over = play(finished(), state=under_way.state)
    held = held_among([OLD, NEW, OTHER], DispatcherState(over.state))
    assert list(held) == [OLD, NEW]
    assert held[NEW] == "the last disk a VM was seen healthy on"


def test_the_last_proved_disk_is_held_longer_than_the_disks_that_ran() -> None:
    """The last disk that was proved healthy is held after three later swaps without proof, until the next proof."""
    state = play(HINT, TAKE, decided(wanted=NEW), CLAIM, STEP, finished()).state
    for n in range(3, 7):
        state["running"] = {VM_ID.lower(): {"id": VM_ID, "n": n}}
        name, data = finished("not-proven", n)
        data["outcome"] |= {"new_disk": disk_id(f"later-{n}")}
        state = play((name, data), state=state).state
    assert list(held_among([OLD, NEW], DispatcherState(state))) == [NEW]
    state["running"] = {VM_ID.lower(): {"id": VM_ID, "n": 9}}
    name, data = finished("succeeded", 9)
    data["outcome"] |= {"new_disk": OTHER}
    state = play((name, data), state=state).state
    assert list(held_among([OLD, NEW, OTHER], DispatcherState(state))) == [OTHER]
