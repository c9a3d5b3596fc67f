"""For all small fleets, edits, faults, crashes and disorders: nobody is left down, nobody is stopped for nothing."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from tests.support.chaos.fleet_scenario import FleetScenario, drawn


def test_whatever_befalls_a_fleet_it_ends_well() -> None:
    """After the trouble is over and the sweep has come by, every promise to every VM and to the book holds."""
    run_state_machine_as_test(FleetScenario, settings=drawn(200))
