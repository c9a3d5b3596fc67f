"""The durable hub is lost in the middle of a swap: the VM is started, and its requested disk is decided again."""

from __future__ import annotations

import logging

import pytest

from refresh.domain.vm.intent_tag import write_intent_tag
from refresh.records.durable_names import swap_id
from tests.support.chaos.crash_scenarios import STORIES, Story
from tests.support.chaos.hub_losses import lose_hub_in, loss_boundaries
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, play, vm_body

EVERY = 7


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_vm_is_started_after_the_loss_of_the_hub(story: Story) -> None:
    """After a loss at any activity one sweep starts the stopped VM, and nothing else is changed before it runs."""
    places = loss_boundaries(story)
    assert len(places) > 8
    for number in places[STORIES.index(story) :: EVERY]:
        lose_hub_in(story, number)


def test_a_swap_without_a_record_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """`RefreshState` of a lost swap on a running VM gives one error line and is removed; nothing else is changed."""
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
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("refresh")]
    assert [line for line in lines if swap_id(VM_ID, 7) in line and "web01-old" in line] == lines
    assert len(lines) == 1
