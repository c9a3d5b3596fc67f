"""After a failed step the VM runs on the new or the old disk, or the outcome is needs-attention."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.worlds.builders import GROUP, VM_ID
from tests.support.worlds.local_azure import LocalAzure, play, vm_body
from tests.support.worlds.swap_world import FLEET, failing, swapped


def test_after_a_failed_disk_change_the_vm_starts_with_its_old_disk() -> None:
    """When the PATCH fails the VM is started with its unchanged disk, and the outcome has Azure's error."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([failing("update")])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "step-failed"), outcome
        assert "InternalExecutionError" in outcome["message"]
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert await azure.power(VM_ID) == "running"
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET)


def test_a_stop_that_is_refused_leaves_the_vm_running() -> None:
    """With a lock nothing is stopped, the outcome names the lock, the tag names the old disk, no disk is rejected."""

    async def story(azure: LocalAzure) -> None:
        text = f"... because following scope(s) are locked: '{GROUP}'. Please remove the lock and try again."
        body = {"error": {"code": "ScopeLocked", "message": text}}
        locked = {"match": {"method": "POST", "path": ".*/deallocate"}, "respond": {"status": 409, "body": body}}
        azure.simulator.services.faults.add([locked])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("refused", "locked"), outcome
        assert f"a lock on {GROUP} forbids it" in outcome["message"]
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert await azure.power(VM_ID) == "running"
        assert azure.journal(VM_ID)["stops"] == 0
        assert (await azure.vm(VM_ID))["tags"] == {"AutoRefresh": "true", "OsDiskName": "web01-old"}
        azure.simulator.services.faults.clear()
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        assert azure.outcomes()[-1]["status"] == "succeeded", "the disk can be requested again without force"

    play(story, FLEET)


@pytest.mark.parametrize(
    "failure", [{"fail": {"code": "InternalExecutionError", "message": "planned"}}, {"nothing": True}]
)
def test_a_rollback_succeeds_after_two_failures_in_azure(failure: dict[str, Any]) -> None:
    """A disk change that Azure fails twice during a rollback is started a third time without another stop."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == 2, within_s=3600)
        azure.simulator.services.faults.add(
            [{"match": {"operation": "update", "resource": "*web01"}, "times": 2, **failure}]
        )
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "was taken out again" in outcome["message"]
        assert (await azure.os_disk(VM_ID), await azure.power(VM_ID)) == ("web01-old", "running")
        assert azure.journal(VM_ID)["stops"] == 2

    play(story, FLEET)


def test_tags_that_azure_refuses_are_written_again_after_the_rollback() -> None:
    """A rollback does not wait for tags that Azure refuses, and writes them again at its end."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == 1, within_s=3600)
        body = {"error": {"code": "AuthorizationFailed", "message": "planned"}}
        match = {"method": "PATCH", "path": "/tags/default$"}
        azure.simulator.services.faults.add([{"match": match, "times": 1, "respond": {"status": 403, "body": body}}])
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] == "rolled-back", outcome
        assert not [line for line in outcome["evidence"] if "tags could not" in line]
        tags = (await azure.vm(VM_ID))["tags"]
        assert (tags["OsDiskName"], tags["OsDiskRejected"]) == ("web01-old", "web01-new")
        assert azure.journal(VM_ID)["stops"] == 2

    play(story, FLEET)


def test_a_vm_whose_tags_cannot_be_written_is_not_stopped() -> None:
    """The intent is written to the VM before downtime; if ARM refuses it, the swap is refused with ARM's error."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        body = {"error": {"code": "AuthorizationFailed", "message": "planned"}}
        match = {"method": "PATCH", "path": ".*/tags/default"}
        azure.simulator.services.faults.add([{"match": match, "respond": {"status": 403, "body": body}}])
        await azure.until(lambda: bool(azure.outcomes()))
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("refused", "rights-missing"), outcome
        assert "planned" in outcome["message"]
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, FLEET)


@pytest.mark.parametrize("moment", ["deallocating", "deallocated", "running again"])
def test_a_swap_with_a_lost_orchestration_is_finished_by_a_recovery(moment: str) -> None:
    """When the orchestration is terminated, a sweep finds it, and a recovery finishes the swap."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")

        async def reached() -> bool:
            if moment == "running again":
                return await azure.os_disk(VM_ID) == "web01-new" and await azure.power(VM_ID) == "running"
            return await azure.power(VM_ID) == moment

        await azure.until(reached)
        (row,) = azure.running_swaps()
        instance = next(name for name in azure.hub.orchestrations.instances if name.endswith(f"-{row['n']}"))
        azure.hub.terminate(instance)
        for _ in range(5):
            await asyncio.sleep(301)
            await azure.fire("sweep")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert outcome["status"] in ("succeeded", "not-proven"), outcome
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert await azure.power(VM_ID) == "running"
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET)


def test_the_sweep_finds_an_edit_without_an_event() -> None:
    """Without events the sweep sends a hint for each VM whose tag and disk differ."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        assert azure.outcomes() == []
        await azure.fire("sweep")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"

    play(story, FLEET, events=False)


def test_an_owners_own_stop_is_respected_after_a_swap() -> None:
    """An old RefreshState is removed while the VM runs, so a later stop by its owner is not undone."""

    async def story(azure: LocalAzure) -> None:
        await azure.fire("sweep")
        await azure.settled()
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]

    play(story, [vm_body(RefreshState="run=swap-x-1;ran=yes")])
