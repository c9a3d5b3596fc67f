"""The month with rollout on and an event for every tag it writes: the result has the end of each VM."""

from __future__ import annotations

from typing import Any

from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.month_world import gallery_bodies, vm_bodies, vm_id

NAMES = tuple(f"web{n:02d}" for n in range(1, 31))


async def month(azure: LocalAzure, **fields: Any) -> dict[str, dict[str, Any]]:
    instance = azure.hub.start("refresh_month", fields, None)
    await azure.hub.completed(instance)
    result = azure.hub.output(instance)
    return {row["vm"].rsplit("/", 1)[-1]: row for row in result["vms"]}


def test_a_swap_that_an_event_began_is_the_months_own_outcome() -> None:
    """Each VM's row has the end of its swap, rolled-back ones included, whichever hint came first."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "*/web03-2*", "boots": False}])
        rows = await month(azure)
        assert {name: row.get("status") for name, row in rows.items()} == {
            name: "rolled-back" if name == "web03" else "succeeded" for name in NAMES
        }
        assert await azure.os_disk(vm_id("web03")) == "web03-old"
        assert all(azure.journal(vm_id(name))["stops"] == 1 for name in NAMES if name != "web03")
        again = await month(azure)
        assert again["web03"]["reason"] == "rejected-before"
        assert again["web01"]["reason"] == "already-there"

    fleet = [body for name in NAMES for body in vm_bodies(name)]
    play(story, [*gallery_bodies(), *fleet], settings={"REFRESH_ROLLOUT": "auto"})


def test_a_run_can_overrule_the_setting() -> None:
    """With rollout `manual` in the request, a month on an automatic app touches no VM, and the other way round."""

    async def story(azure: LocalAzure) -> None:
        rows = await month(azure, rollout="manual")
        assert rows["web01"]["reason"] == "made"
        assert await azure.os_disk(vm_id("web01")) == "web01-old"
        rows = await month(azure, rollout="auto", vms=[vm_id("web01")])
        assert rows["web01"]["status"] == "succeeded"

    play(story, [*gallery_bodies(), *vm_bodies("web01")], settings={"REFRESH_ROLLOUT": "auto"})
