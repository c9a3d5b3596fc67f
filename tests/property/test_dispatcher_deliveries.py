"""The dispatcher with messages that arrive twice, late and out of order, as on an engine without message sorting."""

from __future__ import annotations

from random import Random

import pytest

from tests.support.chaos.dispatcher_simulation import VMS, DispatcherSimulation
from tests.support.chaos.random_actions import drain, is_idle, run_random_actions, settle


@pytest.mark.parametrize("seed", range(60))
def test_operations_delivered_twice_and_out_of_order_keep_every_promise(seed: int) -> None:
    """One stop for each edit, one claim for each VM, no hint lost, and no newer state undone by a late message."""
    play, chance = DispatcherSimulation(), Random(seed)  # noqa: S311 # fixed seeds
    for vm in VMS:
        play.edit(vm, boots=True)
    run_random_actions(play, chance, 300)
    drain(play)
    assert ("paused" in play.state) == (play.switched == "pause"), "a late pause or resume undid a newer one"
    play.switch("resume")
    settle(play)
    _check(play)
    # Every message may be delivered again at any later time.
    stops = {vm.id: dict(vm.stops) for vm in play.vms.values()}
    for message in chance.sample(play.sent, len(play.sent)):
        play.deliver(message)
    settle(play)
    _check(play)
    assert {vm.id: dict(vm.stops) for vm in play.vms.values()} == stops


@pytest.mark.parametrize("seed", range(30))
def test_during_a_pause_every_vm_comes_up_and_no_further_one_is_stopped(seed: int) -> None:
    """Whatever was lost before the pause, sweeps bring up every VM without a resume, and new edits stop none."""
    play, chance = DispatcherSimulation(), Random(seed)  # noqa: S311 # fixed seeds
    for vm in VMS:
        play.edit(vm, boots=True)
    run_random_actions(play, chance, 300)
    play.switch("pause")
    drain(play)  # what is under way goes on to its end
    # A swap whose run died after its intent may have stopped its VM, so a recovery finishes it.
    begun = [row["id"] for row in play.state["running"].values() if "intent" in row]
    stops = {vm.id: dict(vm.stops) for vm in play.vms.values() if vm.id not in begun}
    settle(play)
    assert "paused" in play.state
    assert all(vm.is_up for vm in play.vms.values()), play.state
    for vm in VMS:
        play.edit(vm, boots=True)
    settle(play)
    assert {vm: dict(play.vms[vm].stops) for vm in stops} == stops


def _check(play: DispatcherSimulation) -> None:
    assert is_idle(play), play.state
    assert "paused" not in play.state, "a late pause undid a newer resume"
    assert play.state.get("selfcheck", {}).get("began") == play.checked, "a late self-check undid a newer one"
    for vm in play.vms.values():
        assert vm.is_up, f"{vm.id} is down"
        assert vm.wish == vm.disk, f"the request of {vm.id} was lost"
