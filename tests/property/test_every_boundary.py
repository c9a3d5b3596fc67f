"""A worker dies at one boundary of a swap after the other: the end is the one it would have had."""

from __future__ import annotations

import pytest

from tests.support.chaos.boundaries import HIDDEN_S, CrashAt
from tests.support.chaos.crash_scenarios import STORIES, Story, boundaries_of, run_story

# Eleven shares no rhythm with the kinds of boundaries; `make soak-crashes` dies at every one of them.
EVERY = 11


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_death_at_any_boundary_changes_nothing(story: Story) -> None:
    """Before or after a turn, an activity or an entity batch, with what it sent or without: same end, same stops."""
    count = len(boundaries_of(story))
    assert count > 60
    for number in range(STORIES.index(story), count, EVERY):
        # Visible again after a host's restart, or when Azure Storage hides it no longer.
        death = CrashAt(number, after_s=20 if number % 2 else HIDDEN_S)
        try:
            run_story(story, death)
        except AssertionError as error:
            raise AssertionError(f"died {death.crashed} (boundary {number} of {count}): {error}") from error
