"""A dispatcher that does not answer: what waits for it ends with a message, and no VM stays down because of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from refresh.records.durable_names import swap_id
from tests.support.histories.swap_stories import STATE
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.silent_dispatcher import SilentDispatcher

FLEET = [vm_body(), disk_body("web01-new")]
RUN = swap_id(VM_ID, 2)


async def ended(azure: LocalAzure, run: str) -> dict[str, Any]:
    """The record of a run after the end of its orchestration, without the dispatcher."""
    await azure.until(lambda: run in azure.hub.orchestrations.instances)
    await azure.hub.completed(run)
    return dict((await azure.api("GET", f"/api/runs/{run}"))[1])


async def swept(azure: LocalAzure) -> None:
    """Run sweeps until they find runs that ended without an outcome (after 15 minutes), and wait for the end."""
    for _ in range(5):
        await azure.fire("sweep")
        await asyncio.sleep(300)
    await azure.settled()


@pytest.mark.parametrize(("operation", "data"), [("claim", ""), ("step", '"intent"')])
def test_before_downtime_the_swap_ends_and_nothing_was_touched(operation: str, data: str) -> None:
    """The run is refused and names the unanswered operation; later the requested disk is swapped in with one stop."""

    async def story(azure: LocalAzure) -> None:
        dispatcher = SilentDispatcher(azure, operation, data=data)
        await azure.tag(VM_ID, OsDiskName="web01-new")
        began = azure.clock.time()
        run = await ended(azure, RUN)
        row = run["vms"][0]
        assert (row["status"], row["reason"]) == ("refused", "dispatcher-silent"), run
        wait_s = 600 if operation == "claim" else 180
        assert f"did not answer within {wait_s} s (operation `{operation}`)" in row["message"]
        assert "POST /api/selfcheck" in row["message"]
        assert azure.clock.time() - began < 900
        assert azure.journal(VM_ID)["stops"] == 0
        assert (await azure.vm(VM_ID))["tags"] == {"AutoRefresh": "true", "OsDiskName": "web01-new"}
        dispatcher.answer()
        await swept(azure)
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert azure.journal(VM_ID)["stops"] == 1
        assert azure.outcomes()[-1]["status"] == "succeeded"

    play(story, FLEET)


def test_a_rollback_starts_the_vm_before_any_answer() -> None:
    """With a dispatcher that is silent from the rejection on, the rollback has the same downtime as otherwise."""
    downs: list[float] = []

    for silent in (False, True):

        async def story(azure: LocalAzure, silent: bool = silent) -> None:
            azure.simulator.services.faults.add([{"disk": "*/web01-new", "boots": False}])
            dispatcher = SilentDispatcher(azure, "reject") if silent else None
            await azure.tag(VM_ID, OsDiskName="web01-new")
            run = await ended(azure, RUN)
            assert run["status"] == "rolled-back", run
            assert await azure.os_disk(VM_ID) == "web01-old"
            assert await azure.power(VM_ID) == "running"
            downs.append(azure.journal(VM_ID)["not_running_s"])
            if dispatcher is not None:
                assert "rejected" not in azure.dispatcher_state()
                dispatcher.answer()
            await azure.settled()
            assert [row["names"] for row in azure.dispatcher_state()["rejected"]] == [[disk_id("web01-new").lower()]]
            assert [outcome["status"] for outcome in azure.outcomes()] == ["rolled-back"]
            assert azure.journal(VM_ID)["stops"] == 2

        play(story, FLEET)
    assert downs[1] == downs[0]


def test_a_run_ends_although_its_outcome_is_not_accepted() -> None:
    """Without an answer to `finished` the VM runs its new disk and the run ends; a later answer gives one outcome."""

    async def story(azure: LocalAzure) -> None:
        dispatcher = SilentDispatcher(azure, "finished")
        await azure.tag(VM_ID, OsDiskName="web01-new")
        run = await ended(azure, RUN)
        assert run["status"] == "succeeded"
        assert any("operation `finished`" in line for line in azure.hub.output(RUN)["evidence"])
        assert await azure.power(VM_ID) == "running"
        dispatcher.answer()
        await azure.settled()
        await swept(azure)
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"]
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET)


@pytest.mark.parametrize("operation", ["take", "decided"])
def test_a_look_without_an_answer_fails_and_another_one_takes_its_hints(operation: str) -> None:
    """It fails after three minutes with a message; the next sweep starts another look, and the disk is swapped once."""

    async def story(azure: LocalAzure) -> None:
        dispatcher = SilentDispatcher(azure, operation)
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: "look-1" in azure.hub.orchestrations.instances)
        look = await azure.hub.completed("look-1")
        assert look.failure is not None
        assert f"did not answer within 180 s (operation `{operation}`)" in look.failure.errorMessage
        dispatcher.answer()
        await azure.fire("sweep")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"]
        assert azure.journal(VM_ID)["stops"] == 1
        assert azure.idle()

    play(story, FLEET)


def test_a_stopped_vm_is_started_although_its_intent_is_not_stored() -> None:
    """A VM that an earlier swap left stopped is started without waiting for the dispatcher's answer."""

    async def story(azure: LocalAzure) -> None:
        SilentDispatcher(azure, "step", data='"intent"')
        azure.hub.signal("@dispatcher@app", "hint", {"vms": [VM_ID], "at": None})
        run = await ended(azure, RUN)
        assert run["vms"][0]["reason"] == "recover", run
        assert await azure.power(VM_ID) == "running"

    play(story, [vm_body(power="deallocated", **STATE), disk_body("web01-new")])
