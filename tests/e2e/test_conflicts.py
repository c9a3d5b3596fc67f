"""Other writers on the VM during its swap: extensions that hold it in `Updating`, and operations that preempt."""

from __future__ import annotations

import asyncio
from typing import override

import pytest

from simulator.durable.worker import Interruptions
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, play, vm_body
from tests.support.worlds.swap_world import (
    FLEET,
    assert_well,
    has_evidence,
    never_boots,
    outcome_of,
    power_is,
    runs_on,
    swapped,
    sweep_for,
)

PREEMPTED = {
    "code": "OperationPreempted",
    "message": "Operation execution has been preempted by a more recent operation.",
}


class ExtensionWorks(Interruptions):
    """An extension begins work on `web01` when an activity begins for the `nth` time."""

    def __init__(self, azure: LocalAzure, activity: str, lasts_s: float, nth: int = 1) -> None:
        self._azure, self._activity, self._lasts_s, self._left = azure, activity, lasts_s, nth

    @override
    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._left -= name == self._activity
        if name == self._activity and self._left == 0:
            self._azure.simulator.put_resources([{"id": VM_ID, "_extension_work_s": self._lasts_s}])


async def assert_runs(azure: LocalAzure, *disks: str) -> None:
    """Assert that the VM runs on one of the disks and that nothing of a swap is left."""
    assert await azure.power(VM_ID) == "running"
    assert await azure.os_disk(VM_ID) in disks
    assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]
    assert azure.idle()


@pytest.mark.parametrize("activity", ["ensure_stopped", "ensure_healthy"])
def test_a_swap_ends_well_beside_the_work_of_an_extension(activity: str) -> None:
    """The stop waits until the extension has done its work; a VM that runs is proved meanwhile."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.interruptions = ExtensionWorks(azure, activity, 200)
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["message"]) == ("succeeded", "runs disk web01-new, proved by its guest")
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)


def test_a_vm_that_an_extension_holds_is_swapped_later() -> None:
    """A VM that is Updating is not stopped; a sweep after the extension's work swaps it."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await sweep_for(azure, 2)
        assert azure.journal(VM_ID)["stops"] == 0
        await sweep_for(azure, 4)
        assert [each["status"] for each in azure.outcomes()] == ["succeeded"]
        await assert_well(azure, "web01-new", stops=1)

    play(story, [{**vm_body(), "_extension_work_s": 1200}, FLEET[1]])


@pytest.mark.parametrize("held_by", ["its start", "other work"])
def test_an_extension_that_holds_a_bad_boot_for_long_does_not_delay_the_way_back(held_by: str) -> None:
    """The stop of the way back preempts what holds the VM: the old disk runs long before the extension would end."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-new")])
        if held_by == "its start":
            hold = {"match": {"operation": "start", "resource": "*web01"}, "times": 1, "held_s": 2400}
            azure.simulator.services.faults.add([hold])
        else:
            azure.hub.interruptions = ExtensionWorks(azure, "ensure_healthy", 2400)
        began = azure.clock.time()
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        assert azure.clock.time() - began < (700 if held_by == "its start" else 1000)
        await azure.settled()
        assert azure.outcomes()[0]["status"] == "rolled-back", azure.outcomes()
        await assert_runs(azure, "web01-old")

    play(story, FLEET)


def test_a_way_back_that_azure_refuses_goes_on_asking() -> None:
    """Azure refuses the stop for five minutes: the way back asks again until it is accepted."""

    async def story(azure: LocalAzure) -> None:
        hold = {"match": {"operation": "start", "resource": "*web01"}, "times": 1, "held_s": 5400}
        azure.simulator.services.faults.add([never_boots("web01-new"), hold])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        conflict = {"code": "Conflict", "message": "The request failed due to conflict with a concurrent request."}
        refused = {"status": 409, "body": {"error": conflict}}
        match = {"method": "POST", "path": "/web01/deallocate$"}
        azure.simulator.services.faults.add([{"match": match, "times": 12, "respond": refused}])
        outcome = await outcome_of(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        await assert_runs(azure, "web01-old")

    play(story, FLEET)


def test_a_person_frees_a_held_vm_with_the_commands_of_the_outcome() -> None:
    """The deallocate among the commands preempts the start that an extension holds; the VM runs on the old disk."""

    async def story(azure: LocalAzure) -> None:
        hold = {"match": {"operation": "start", "resource": "*web01"}, "times": 1, "held_s": 5400}
        azure.simulator.services.faults.add([never_boots("web01-new"), hold])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        refused = {"status": 400, "body": {"error": {"code": "BadRequest", "message": "planned"}}}
        match = {"method": "POST", "path": "/web01/deallocate$"}
        azure.simulator.services.faults.add([{"match": match, "times": 1, "respond": refused}])
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        commands = [command.split()[:3] for command in azure.outcomes()[0]["by_hand"]]
        assert [verb for _, what, verb in commands if what == "vm"] == ["deallocate", "update", "start"]
        begun = azure.clock.time()
        await azure.tag(VM_ID, AutoRefresh="hold")
        await azure.arm("POST", f"{VM_ID}/deallocate")
        (start,) = [each for each in azure.simulator.operations.of(VM_ID) if each.kind == "start"]
        assert (start.status, start.error) == ("Failed", PREEMPTED)
        await power_is(azure, "deallocated")
        os_disk = {"name": "web01-old", "managedDisk": {"id": disk_id("web01-old")}}
        await azure.arm("PATCH", VM_ID, {"properties": {"storageProfile": {"osDisk": os_disk}}})
        await asyncio.sleep(60)
        await azure.arm("POST", f"{VM_ID}/start")
        await runs_on(azure, "web01-old")
        await azure.tag(VM_ID, AutoRefresh="true")
        await sweep_for(azure, 2)
        assert azure.clock.time() - begun < 1200
        await assert_runs(azure, "web01-old")

    play(story, FLEET)


@pytest.mark.parametrize("moment", ["update", "start", "health"])
def test_a_person_who_deallocates_during_a_swap_is_obeyed(moment: str) -> None:
    """The person's deallocate preempts the app's operation, and no disk is blamed for that.

    The app has stopped the VM itself before the change of its disk, and starts it. A VM that was deallocated after its
    start stays so, and is proved when its owner starts it.
    """

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"match": {"operation": "update"}, "times": 1, "duration_s": 20}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
        if moment == "health":
            await runs_on(azure, "web01-new")
        else:
            swaps = azure.simulator.operations
            await azure.until(lambda: any(each.kind == moment for each in swaps.of(VM_ID)))
        await azure.arm("POST", f"{VM_ID}/deallocate")
        outcome = await outcome_of(azure)
        preempted = [each.kind for each in azure.simulator.operations.of(VM_ID) if each.error == PREEMPTED]
        assert preempted == ([] if moment == "health" else [moment])
        assert not azure.dispatcher_state().get("rejected")
        if moment == "update":
            assert outcome["status"] == "succeeded", outcome
        else:
            assert (outcome["status"], outcome["reason"]) == ("not-proven", "was-not-running"), outcome
            await sweep_for(azure, 2)
            assert await azure.power(VM_ID) == "deallocated"
            await azure.arm("POST", f"{VM_ID}/start")
            await sweep_for(azure, 2)
            assert azure.outcomes()[-1]["status"] == "succeeded", azure.outcomes()
        await assert_runs(azure, "web01-new")

    play(story, FLEET)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("operation", ["deallocate", "update", "start"])
def test_a_preempted_operation_of_a_swap_leaves_no_vm_down(operation: str, times: int) -> None:
    """Whatever preempts the app's operation, and however often, the VM runs at the end and the outcome names it."""

    async def story(azure: LocalAzure) -> None:
        match = {"operation": operation, "resource": "*web01"}
        azure.simulator.services.faults.add([{"match": match, "times": times, "fail": PREEMPTED}])
        outcome = await swapped(azure)
        assert outcome["status"] in ("succeeded", "rolled-back"), outcome
        if outcome["status"] == "rolled-back":
            assert PREEMPTED["message"] in outcome["message"]
        else:
            assert has_evidence(outcome, "start done")
        await assert_runs(azure, "web01-old", "web01-new")

    play(story, FLEET)
