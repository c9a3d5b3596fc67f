"""A recipe among drawn calamities: whatever befalls requests and operations, the next build is not blocked."""

from __future__ import annotations

from hypothesis import example, given, settings

from tests.support.chaos.recipe_scenario import BuildFaults, build_faults, play


@settings(max_examples=2)
@example(BuildFaults(14, 0.2, "ok"))  # the deletion of a temporary group hangs for longer than the app waits for it
@example(BuildFaults(35, 0.05, "ok"))  # the version is built and proved, and Azure fails the change that admits it
@given(build_faults())
def test_whatever_befalls_a_build_is_named_and_the_next_one_succeeds(faults: BuildFaults) -> None:
    """A build ends with a row; every group it left is in its commands; without calamity the next build is proved."""
    play(faults)
