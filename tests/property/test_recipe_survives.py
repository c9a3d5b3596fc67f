"""Recipes with random failures of requests and operations: the next build is never blocked."""

from __future__ import annotations

from hypothesis import example, given, settings

from tests.support.chaos.recipe_scenario import BuildFaults, build_faults, play


@settings(max_examples=2)
@example(BuildFaults(14, 0.2, "ok"))  # the deletion of a temporary group takes longer than the app waits
@example(BuildFaults(35, 0.05, "ok"))  # the version is built and proven, and Azure fails the update that admits it
@given(build_faults())
def test_a_failed_build_is_explained_and_the_next_one_succeeds(faults: BuildFaults) -> None:
    """A build ends with a row and commands for every group that is left; without failures the next one succeeds."""
    play(faults)
