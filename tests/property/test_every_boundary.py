"""A worker that dies at any boundary of a swap does not change the end of the swap."""

from __future__ import annotations

import pytest

from tests.support.chaos.boundaries import HIDDEN_S, CrashAt
from tests.support.chaos.crash_scenarios import STORIES, Story, boundaries_of, run_story

# A step of 11 reaches boundaries of every kind; `make soak-crashes` tests every boundary.
EVERY = 11


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_crash_at_any_boundary_changes_nothing(story: Story) -> None:
    """A crash before or after a turn, activity or entity batch, with or without its messages, gives the same end."""
    count = len(boundaries_of(story))
    assert count > 60
    for number in range(STORIES.index(story), count, EVERY):
        # The message is visible again after a restart of the host, or when Azure Storage stops hiding it.
        crash = CrashAt(number, after_s=20 if number % 2 else HIDDEN_S)
        try:
            run_story(story, crash)
        except AssertionError as error:
            raise AssertionError(f"died {crash.crashed} (boundary {number} of {count}): {error}") from error
