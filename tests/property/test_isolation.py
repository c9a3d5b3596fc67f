"""One VM, subscription, region, list or event that is unreadable or hostile: all other swaps end as without it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.chaos.disturbances import Disturbance, disturbances, disturbances_of_months
from tests.support.chaos.isolation_story import assert_isolated, run_story, undisturbed
from tests.support.chaos.month_isolation import assert_month_isolated, run_month_story, undisturbed_month


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(disturbances(), st.booleans())
def test_a_disturbance_changes_nothing_for_other_vms(disturbance: Disturbance, paused: bool) -> None:
    """Other VMs have the same outcomes, disks, power and tags, and those that are down are started as early."""
    assert_isolated(run_story(disturbance, paused=paused), undisturbed(paused=paused), disturbance)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(disturbances_of_months())
def test_a_disturbance_leaves_other_vms_their_disks_of_the_month(disturbance: Disturbance) -> None:
    """Other VMs have the same rows; a disturbed VM is named, and gets its disk in the next run."""
    assert_month_isolated(run_month_story(disturbance), undisturbed_month(), disturbance)
