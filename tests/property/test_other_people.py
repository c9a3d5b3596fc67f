"""Whatever other people do to VMs during their swaps, no disk is rejected without evidence from its guest."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.chaos.other_people import Act, acts, run_acts


@settings(max_examples=14, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(acts(), st.sampled_from((0.0, 0.0, 8.0, 30.0)))
def test_no_act_of_other_people_rejects_a_disk(drawn: list[Act], stale_s: float) -> None:
    """After stops, restarts, resizes, detached data disks, restores and edits nothing is rejected or quarantined."""
    run_acts(drawn, stale_s)
