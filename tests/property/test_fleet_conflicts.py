"""Small fleets with other writers, reads that lag behind and guests that reboot themselves: no VM stays down."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from tests.support.chaos.conflicting_fleet import ConflictingFleetScenario
from tests.support.chaos.fleet_scenario import drawn


def test_no_vm_stays_down_after_any_conflict() -> None:
    """After the conflicts and failures end and a sweep has run, every VM that ran runs and the dispatcher is idle."""
    run_state_machine_as_test(ConflictingFleetScenario, settings=drawn(50))
