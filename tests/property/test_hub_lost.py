"""The durable hub is gone in the middle of a swap: the VM comes up, and its wish is decided anew as any other."""

from __future__ import annotations

import logging

import pytest

from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.records.durable_names import swap_id
from tests.support.chaos.crash_stories import STORIES, Story
from tests.support.chaos.hub_losses import lose_hub_in, places_to_lose_it
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, play, vm_body

EVERY = 7


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_vm_comes_up_though_everything_is_forgotten(story: Story) -> None:
    """Lost before or after any activity: one sweep starts what the swap stopped, and touches nothing before it runs."""
    places = places_to_lose_it(story)
    assert len(places) > 8
    for number in places[STORIES.index(story) :: EVERY]:
        lose_hub_in(story, number)


def test_what_was_never_proved_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """A VM runs and its tag tells of a swap that is forgotten: one error line, the tag goes, nothing is touched."""
    state = write_intent_tag(swap_id(VM_ID, 7), True, "web01-before", "web01-old")

    async def story(azure: LocalAzure) -> None:
        for _ in range(2):
            await azure.fire("sweep")
            await azure.settled()
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]
        assert azure.journal(VM_ID)["stops"] == 0
        assert azure.outcomes() == []

    with caplog.at_level(logging.ERROR):
        play(story, [vm_body(OsDiskName="web01-old", RefreshState=state)])
    told = [record.getMessage() for record in caplog.records if record.name.startswith("refresh")]
    assert [line for line in told if swap_id(VM_ID, 7) in line and "web01-old" in line] == told
    assert len(told) == 1
