"""Small fleets with random edits, faults, crashes and disorder: no VM stays down or is stopped without need."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from tests.support.chaos.fleet_scenario import FleetScenario, drawn


def test_a_fleet_ends_well_after_any_failure_scenario() -> None:
    """After the faults end and a sweep has run, every promise about VMs and the dispatcher state holds."""
    run_state_machine_as_test(FleetScenario, settings=drawn(200))
