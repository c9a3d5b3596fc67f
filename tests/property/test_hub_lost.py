"""The durable hub is gone in the middle of a swap: the VM comes up, and its wish is decided anew as any other."""

from __future__ import annotations

import pytest

from tests.support.crash_stories import STORIES, Story
from tests.support.hub_losses import lose_hub_in, places_to_lose_it

EVERY = 7


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_vm_comes_up_though_everything_is_forgotten(story: Story) -> None:
    """Lost before or after any activity: one sweep starts what the swap stopped, and touches nothing before it runs."""
    places = places_to_lose_it(story)
    assert len(places) > 8
    for number in places[STORIES.index(story) :: EVERY]:
        lose_hub_in(story, number)
