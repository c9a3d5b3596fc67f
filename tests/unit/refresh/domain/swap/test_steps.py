"""The next move of each step of a swap, from one read of the VM."""

from __future__ import annotations

import pytest

from refresh.domain.azure.vms import Power
from refresh.domain.swap.steps import LOST_AFTER_S, judge_disk, judge_started, judge_stopped
from refresh.domain.terms.stop_mode import StopMode
from refresh.domain.terms.verdict import Move
from tests.support.worlds.builders import disk_id, make_vm


@pytest.mark.parametrize(
    ("power", "provisioning", "age_s", "move"),
    [
        (Power.RUNNING, "Succeeded", None, Move.BEGIN),
        (Power.RUNNING, "Succeeded", 1.0, Move.WAIT),
        (Power.RUNNING, "Succeeded", LOST_AFTER_S + 1, Move.BEGIN),
        (Power.RUNNING, "Updating", None, Move.WAIT),
        (Power.STOPPED, "Succeeded", None, Move.BEGIN),
        (Power.DEALLOCATING, "Updating", 3.0, Move.WAIT),
        (Power.DEALLOCATED, "Updating", 3.0, Move.WAIT),
        (Power.DEALLOCATED, "Succeeded", 3.0, Move.DONE),
        (Power.DEALLOCATED, "Failed", None, Move.DONE),
        (Power.UNKNOWN, "Succeeded", None, Move.WAIT),
    ],
)
def test_stopping_is_begun_once_and_waited_for(
    power: Power, provisioning: str, age_s: float | None, move: Move
) -> None:
    """In a transitional state the step waits; a stop that had no effect is begun again."""
    assert judge_stopped(make_vm(power=power, provisioning_state=provisioning), age_s).move is move


@pytest.mark.parametrize(
    ("power", "provisioning", "age_s", "move"),
    [
        (Power.DEALLOCATED, "Succeeded", None, Move.BEGIN),
        (Power.STOPPED, "Failed", 2.0, Move.WAIT),
        (Power.STOPPED, "Failed", 31.0, Move.BEGIN),
        (Power.STARTING, "Updating", 2.0, Move.WAIT),
        (Power.RUNNING, "Updating", 2.0, Move.DONE),
        (Power.RUNNING, "Succeeded", None, Move.DONE),
    ],
)
def test_a_vm_that_runs_is_started_whatever_its_extensions_do(
    power: Power, provisioning: str, age_s: float | None, move: Move
) -> None:
    """A VM that runs counts as started: extensions can delay the end of the start operation for 90 minutes."""
    assert judge_started(make_vm(power=power, provisioning_state=provisioning), age_s).move is move


def test_powering_off_is_enough_where_the_mode_says_so() -> None:
    """With mode power-off a stopped VM counts as stopped; with mode deallocate only a deallocated VM does."""
    stopped = make_vm(power=Power.STOPPED)
    assert judge_stopped(stopped, None, None, StopMode.POWER_OFF).move is Move.DONE
    assert judge_stopped(stopped, None, None, StopMode.DEALLOCATE).move is Move.BEGIN
    assert judge_stopped(make_vm(power=Power.DEALLOCATED), None, None, StopMode.POWER_OFF).move is Move.DONE


def test_a_disk_is_done_only_when_read_back() -> None:
    """An update that was accepted and changed nothing has failed."""
    vm, other = make_vm(power=Power.DEALLOCATED), disk_id("new")
    assert judge_disk(vm, other, None).move is Move.BEGIN
    assert judge_disk(vm, other, 1.0).move is Move.WAIT
    assert judge_disk(vm, other, 60.0).move is Move.FAILED
    assert judge_disk(vm, other, 60.0, insist=True).move is Move.BEGIN
    assert judge_disk(vm, disk_id("WEB01-old"), None).move is Move.DONE
    assert judge_disk(make_vm(provisioning_state="Updating"), disk_id("web01-old"), 1.0).move is Move.WAIT


def test_a_vm_that_has_the_disk_already_is_not_stopped_for_it() -> None:
    """A VM that already has the right disk keeps running."""
    vm = make_vm()
    assert judge_stopped(vm, None, disk_id("web01-old")).move is Move.DONE
    assert judge_stopped(vm, None, disk_id("other")).move is Move.BEGIN
    assert judge_stopped(make_vm(provisioning_state="Updating"), None, disk_id("web01-old")).move is Move.WAIT
