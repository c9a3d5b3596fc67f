"""Random edits, crashes and late events: what the app itself does to a VM is never taken for the work of others."""

from __future__ import annotations

import asyncio
import logging
from random import Random
from typing import override

import pytest

from simulator.durable.worker import Interruptions, WorkerDied
from simulator.eventgrid import Chaos
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.swap_world import never_boots, sweep_for

DISKS = ("web01-old", "web01-new", "web01-next", "web01-bad", "@previous")
FLEET = [vm_body(), *(disk_body(name) for name in DISKS[1:4])]
EDITS = 16


class DieAtRandom(Interruptions):
    """The worker dies after one in six activities and one in ten entity batches, whose effects stay."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)  # noqa: S311 # fixed seeds

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        if attempt == 1 and self._chance.random() < 1 / 6:
            raise WorkerDied

    @override
    def after_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        if attempt == 1 and self._chance.random() < 1 / 10:
            raise WorkerDied(sent=True, after_s=1)


async def act_at_random(azure: LocalAzure, chance: Random) -> None:
    """Edit the tag, request swaps, rollbacks and adoptions, sweep, and look at the VM, at any moment of its swaps."""
    for _ in range(EDITS):
        act = chance.random()
        if act < 0.6:
            await azure.tag(VM_ID, OsDiskName=chance.choice(DISKS))
        elif act < 0.7:
            await azure.api("POST", "/api/swap", {"vms": ["web01"]})
        elif act < 0.8:
            await azure.api("POST", "/api/rollback", {"vms": ["web01"]})
        elif act < 0.9:
            await azure.api("POST", "/api/adopt", {"vms": ["web01"]})
        else:
            await azure.fire("sweep")
        for _ in range(chance.randrange(1, 8)):
            await asyncio.sleep(chance.choice((1.0, 5.0, 20.0, 60.0)))
            _, shown = await azure.api("GET", "/api/vms?vm=web01")
            assert shown["reason"] != "changed-by-others", shown


@pytest.mark.parametrize("seed", range(8))
def test_the_apps_own_acts_are_never_called_changed_by_others(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the log nor in an event, an outcome or a list, whatever the app does and undoes meanwhile."""
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-bad")])
        azure.hub.interruptions = DieAtRandom(seed)
        await act_at_random(azure, Random(seed))  # noqa: S311 # fixed seeds
        azure.hub.interruptions = Interruptions()
        await azure.settled()
        await sweep_for(azure, 4)
        assert "changed-by-others" not in caplog.text
        assert all(row["reason"] != "changed-by-others" for row in azure.outcomes())
        published = [row["event"]["data"] for row in azure.simulator.published()]
        assert all(data.get("reason") != "changed-by-others" for data in published)
        assert azure.outcomes()
        assert await azure.power(VM_ID) == "running"

    play(story, FLEET, chaos=Chaos(delay_s=5, duplicates=0.3, reorder=0.3, seed=seed))
