"""One VM, subscription, region, list or event that is unreadable or hostile: all other swaps end as without it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.chaos.disturbances import Disturbance, disturbances
from tests.support.chaos.isolation_story import assert_isolated, run_story, undisturbed


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(disturbances(), st.booleans())
def test_a_disturbance_changes_nothing_for_other_vms(disturbance: Disturbance, paused: bool) -> None:
    """Other VMs have the same outcomes, disks, power and tags, and those that are down are started as early."""
    assert_isolated(run_story(disturbance, paused=paused), undisturbed(paused=paused), disturbance)
