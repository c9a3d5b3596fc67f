"""A VM that a swap has left down is started before anything else, also during a pause; swaps back come next."""

from __future__ import annotations

import asyncio
from typing import Any

from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.records.durable_names import swap_id
from tests.support.worlds.builders import GROUP
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

BULK = [f"bulk{number:02}" for number in range(31)]


def vm_id(name: str) -> str:
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"


MARK = write_intent_tag(swap_id(vm_id("down01"), 1), was_running=True, old_disk="down01-old", new_disk="down01-new")
DOWN = vm_body("down01", power="deallocated", OsDiskName="down01-new", RefreshState=MARK)


def with_disks(names: list[str]) -> list[dict[str, Any]]:
    return [body for name in names for body in (vm_body(name), disk_body(f"{name}-new"))]


async def request_all(azure: LocalAzure, names: list[str]) -> None:
    for name in names:
        await azure.tag(vm_id(name), OsDiskName=f"{name}-new")


def test_a_vm_left_down_is_started_during_a_pause_beside_thirty_swaps() -> None:
    """With all swaps of the limit under way, another one waiting and a pause, the sweep's look starts it."""

    async def story(azure: LocalAzure) -> None:
        hang = {"match": {"operation": "start", "resource": "*bulk*"}, "hang": True}
        azure.simulator.services.faults.add([hang])
        await request_all(azure, BULK)
        await azure.until(lambda: len(azure.running_swaps()) == 30 and bool(azure.dispatcher_state().get("queue")))
        await azure.api("POST", "/api/pause", {"why": "incident"})
        await azure.until(lambda: bool(azure.dispatcher_state().get("paused")))
        await azure.fire("sweep")
        begun = azure.clock.time()

        async def is_up() -> bool:
            return await azure.power(vm_id("down01")) == "running"

        await azure.until(is_up, within_s=120)
        assert azure.clock.time() - begun < 120
        await azure.until(lambda: bool(azure.outcomes()))
        assert azure.outcomes()[0]["reason"] == "recover"
        assert azure.journal(vm_id("down01"))["stops"] == 0
        await asyncio.sleep(60)
        # The VM's own wish is a swap like any other: it waits for the end of the pause.
        _, queue = await azure.api("GET", "/api/queue")
        assert (queue["paused"], len(queue["running"])) == (True, 30)
        assert {row["vm"].rsplit("/", 1)[-1]: row["reason"] for row in queue["waiting"]}["down01"] == "paused"
        assert azure.journal(vm_id("down01"))["stops"] == 0

    world = [DOWN, disk_body("down01-new"), *with_disks(BULK)]
    play(story, world, settings={"REFRESH_MAX_SWAPS": "30"})


def test_a_vm_left_down_is_looked_at_before_other_vms_of_the_sweep() -> None:
    """Of 131 VMs that a sweep finds, the one with the mark of a swap is read with the first, and started."""

    async def story(azure: LocalAzure) -> None:
        await azure.fire("sweep")
        await azure.until(lambda: any(row["id"] == vm_id("down01") for row in azure.running_swaps()))
        assert azure.dispatcher_state()["lists"]
        await azure.settled()
        assert await azure.power(vm_id("down01")) == "running"

    others = [vm_body(f"app{number:03}", OsDiskName="no-such-disk") for number in range(130)]
    play(story, [*others, DOWN, disk_body("down01-new")], events=False)


def test_a_swap_back_comes_before_bulk() -> None:
    """Of the VMs that wait, the one that returns to its former disk is swapped first."""

    async def story(azure: LocalAzure) -> None:
        await request_all(azure, BULK[:1])
        await azure.settled()
        await azure.api("POST", "/api/pause", {"why": "incident"})
        await azure.until(lambda: bool(azure.dispatcher_state().get("paused")))
        await request_all(azure, BULK[1:5])
        await azure.until(lambda: len(azure.dispatcher_state().get("queue", {})) == 4)
        await azure.tag(vm_id(BULK[0]), OsDiskName=f"{BULK[0]}-old")
        await azure.until(lambda: len(azure.dispatcher_state().get("queue", {})) == 5)
        _, queue = await azure.api("GET", "/api/queue")
        assert queue["waiting"][0]["vm"] == vm_id(BULK[0])
        await azure.api("POST", "/api/resume", {})
        await azure.settled()
        order = [outcome["vm"].rsplit("/", 1)[-1] for outcome in azure.outcomes()]
        assert order[:2] == [BULK[0], BULK[0]]
        assert sorted(order[2:]) == BULK[1:5]

    play(story, with_disks(BULK[:5]), settings={"REFRESH_MAX_SWAPS": "1"})
