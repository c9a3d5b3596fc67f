"""Every activity and every entity batch is delivered twice, with the same end as once."""

from __future__ import annotations

import pytest

from tests.support.chaos.boundaries import EverythingTwice
from tests.support.chaos.crash_scenarios import STORIES, Story, run_story
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.month_world import gallery_bodies, vm_bodies, vm_id

# None: the first result is lost. Otherwise seconds between both deliveries: at the same time, while the step is
# still under way, near the end of the swap, or long after it.
SECOND_AFTER_S = (None, 0, 5, 100, 300, 400)


@pytest.mark.parametrize("after_s", SECOND_AFTER_S)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_swap_done_twice_is_one_swap(story: Story, after_s: float | None) -> None:
    """With every activity and batch run twice a swap has the same end and stops, and late ones leave no state."""
    twice = EverythingTwice(after_s)
    run_story(story, twice)
    assert twice.activities > 4
    assert twice.batches > 4


@pytest.mark.parametrize("after_s", [None, 0, 300])
def test_a_month_done_twice_is_one_month(after_s: float | None) -> None:
    """With every activity and batch run twice a month makes one version, and one disk and one swap for each VM."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.interruptions = twice = EverythingTwice(after_s)
        azure.simulator.services.faults.add([{"disk": "*/web02-2*", "boots": False}])
        await azure.hub.completed(azure.hub.start("refresh_month", {}, "month"))
        await azure.settled()
        result = azure.hub.output("month")
        ended = {row["vm"].rsplit("/", 1)[-1]: row.get("status") for row in result["vms"]}
        assert ended == {"web01": "succeeded", "web02": "rolled-back"}
        assert [row["reason"] for row in result["images"]] == ["made"]
        assert [azure.journal(vm_id(name))["stops"] for name in ended] == [1, 2]
        assert [await azure.power(vm_id(name)) for name in ended] == ["running", "running"]
        kinds = [kind for record in azure.simulator.store.everything() if (kind := record.id.type.lower())]
        assert kinds.count("microsoft.compute/disks") == 5
        assert kinds.count("microsoft.compute/galleries/images/versions") == 1
        assert twice.activities > 20
        assert azure.dispatcher_state().get("bad") is None, azure.dispatcher_state()["bad"]

    fleet = [*gallery_bodies(), *vm_bodies("web01"), *vm_bodies("web02")]
    play(story, fleet, settings={"REFRESH_ROLLOUT": "auto"})
