"""Interference with a swap at any time: a VM that ran runs at the end, and no VM is stopped without need."""

from __future__ import annotations

import asyncio
from typing import Any, override

import pytest

from refresh.activities.swap.ensure_os_disk import ensure_os_disk
from refresh.activities.swap.ensure_started import ensure_started
from refresh.activities.swap.ensure_stopped import ensure_stopped
from refresh.records.durable_names import swap_id
from refresh.records.swap import StepInput
from simulator.durable.worker import Interruptions, WorkerDied
from simulator.engine.simulated import SimulatedEngine
from simulator.functions.host import FunctionsHost
from simulator.local_app import app_settings
from tests.support.worlds.builders import GROUP, VM_ID, disk_id
from tests.support.worlds.local_azure import ROOT, SETTINGS, LocalAzure, disk_body, play, vm_body

FLEET = [vm_body(), disk_body("web01-new"), disk_body("web01-newer"), disk_body("web01-bad")]
OTHER_ID = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web02"
SET_ID = f"{GROUP}/providers/Microsoft.Compute/availabilitySets/set"


def fault(operation: str, *, resource: str = "*web01", times: int = 99) -> dict[str, Any]:
    return {
        "match": {"operation": operation, "resource": resource},
        "times": times,
        "fail": {"code": "InternalExecutionError", "message": "planned"},
    }


def never_boots(disk: str) -> dict[str, Any]:
    return {"disk": disk, "boots": False}


async def power_is(azure: LocalAzure, *powers: str) -> None:
    async def reached() -> bool:
        return await azure.power(VM_ID) in powers

    await azure.until(reached)


async def runs_on(azure: LocalAzure, disk: str) -> None:
    async def reached() -> bool:
        return await azure.os_disk(VM_ID) == disk and await azure.power(VM_ID) == "running"

    await azure.until(reached)


async def terminate_swap(azure: LocalAzure) -> None:
    (row,) = azure.running_swaps()
    swaps = azure.hub.orchestrations.instances
    azure.hub.terminate(next(name for name in swaps if name.endswith(f"-{row['n']}")))


async def sweep_for(azure: LocalAzure, times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(301)
        await azure.fire("sweep")
    await azure.settled()


async def assert_well(azure: LocalAzure, disk: str, *, stops: int, vm: str = VM_ID) -> None:
    assert await azure.power(vm) == "running"
    assert await azure.os_disk(vm) == disk
    assert azure.journal(vm)["stops"] == stops
    assert "RefreshState" not in (await azure.vm(vm))["tags"]
    assert azure.dispatcher_state().get("bad") is None, azure.dispatcher_state()["bad"]
    assert azure.idle()


class DieOnceAfter(Interruptions):
    """The worker dies after an activity's first run: the effect happened, the result is lost."""

    def __init__(self, activity: str, after_s: float | None = None) -> None:
        self._activity, self._after_s = activity, after_s
        self.died = 0

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        if name == self._activity and not self.died:
            self.died += 1
            raise WorkerDied(after_s=self._after_s)


def test_hold_after_a_lost_stop_still_starts_the_vm() -> None:
    """A VM whose stop lost its result and that is put on hold is started again."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.interruptions = deaths = DieOnceAfter("ensure_stopped")
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(deaths.died))
        await azure.tag(VM_ID, AutoRefresh="hold")
        await azure.settled()
        await assert_well(azure, "web01-old", stops=1)

    play(story, FLEET)


@pytest.mark.parametrize("in_rollback", [False, True])
def test_hold_before_a_recovery_still_starts_the_vm(in_rollback: bool) -> None:
    """When the orchestration of a stopped VM is lost and the VM is on hold, the recovery only starts the VM."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-bad")])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == (2 if in_rollback else 1))
        await power_is(azure, "deallocated")
        await terminate_swap(azure)
        await azure.tag(VM_ID, AutoRefresh="hold")
        await sweep_for(azure, 5)
        assert await azure.power(VM_ID) == "running"
        assert azure.outcomes()[-1]["reason"] == "on-hold"
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]

    play(story, FLEET)


@pytest.mark.parametrize("moment", ["deallocating", "deallocated", "starting", "running"])
@pytest.mark.parametrize("in_rollback", [False, True])
def test_hold_at_any_moment_leaves_the_vm_running(moment: str, in_rollback: bool) -> None:
    """After hold at any step of a swap or rollback the VM runs and has no `RefreshState`."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-bad")])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == (2 if in_rollback else 1))
        await power_is(azure, moment)
        await azure.tag(VM_ID, AutoRefresh="hold")
        await azure.settled()
        assert await azure.power(VM_ID) == "running"
        assert azure.outcomes()[-1]["reason"] == "on-hold"
        assert azure.journal(VM_ID)["stops"] == (2 if in_rollback else 1)
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]

    play(story, FLEET)


def test_a_rollback_that_fails_starts_the_vm_on_its_current_disk() -> None:
    """If the old disk is deleted before a rollback, the VM runs on the bad disk, and the outcome is needs-attention."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-bad")])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await runs_on(azure, "web01-bad")
        azure.simulator.remove_resources([disk_id("web01-old")])
        await azure.until(lambda: bool(azure.outcomes()))
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["reason"]) == ("needs-attention", "undo-failed"), outcome
        assert await azure.power(VM_ID) == "running"

    play(story, FLEET)


def test_a_revival_that_is_recovered_rejects_no_disk() -> None:
    """A revival and its recovery that both cannot start the VM reject no disk."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([fault("start")])
        await azure.fire("sweep")
        await azure.until(lambda: any(row.get("step") == "start" for row in azure.running_swaps()))
        await terminate_swap(azure)
        await sweep_for(azure, 6)
        assert azure.dispatcher_state().get("rejected", []) == []
        assert azure.outcomes()[-1]["status"] == "needs-attention"
        azure.simulator.services.faults.clear()
        await sweep_for(azure, 1)
        await assert_well(azure, "web01-old", stops=0)

    play(story, [vm_body(power="deallocated", RefreshState=f"run={swap_id(VM_ID, 1)};ran=yes")])


def test_two_vms_that_request_one_disk_are_not_stopped() -> None:
    """A disk that two VMs name is swapped to neither until only one VM names it, and no VM is stopped."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="shared")
        await azure.tag(OTHER_ID, OsDiskName="shared")
        await azure.settled()
        assert azure.journal(VM_ID)["stops"] + azure.journal(OTHER_ID)["stops"] == 0
        assert [await azure.os_disk(VM_ID), await azure.os_disk(OTHER_ID)] == ["web01-old", "web02-old"]
        await azure.tag(OTHER_ID, OsDiskName="web02-old")
        await azure.fire("sweep")
        await azure.settled()
        assert [await azure.os_disk(VM_ID), await azure.os_disk(OTHER_ID)] == ["shared", "web02-old"]

    play(story, [vm_body(), vm_body("web02"), disk_body("shared")])


def test_the_old_disk_of_an_open_swap_is_not_given_to_another_vm() -> None:
    """While a swap can still be rolled back, no other VM is swapped to its old disk."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-bad")])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await runs_on(azure, "web01-bad")
        await azure.tag(OTHER_ID, OsDiskName="web01-old")
        await azure.settled()
        await assert_well(azure, "web01-old", stops=2)
        await assert_well(azure, "web02-old", stops=0, vm=OTHER_ID)

    play(story, [*FLEET, vm_body("web02")])


def test_a_swap_lost_before_its_intent_was_written_still_writes_it() -> None:
    """A recovery with the intent only in the dispatcher state resolves `@previous` and writes the tags first."""

    async def story(azure: LocalAzure) -> None:
        respond = {"status": 503, "headers": {"Retry-After": "20"}, "body": {"error": {"code": "Busy"}}}
        await azure.tag(VM_ID, OsDiskName="@previous")
        tags = {"match": {"method": "PATCH", "path": ".*/tags/default"}, "respond": respond}
        azure.simulator.services.faults.add([tags])
        await azure.until(lambda: any(row.get("step") == "intent" for row in azure.running_swaps()))
        await terminate_swap(azure)
        await asyncio.sleep(60)
        azure.simulator.services.faults.clear()
        await sweep_for(azure, 5)
        await assert_well(azure, "web01-new", stops=1)
        tags_now = (await azure.vm(VM_ID))["tags"]
        assert (tags_now["OsDiskName"], tags_now["OsDiskPrevious"]) == ("web01-new", "web01-old")

    play(story, [vm_body(OsDiskPrevious="web01-new"), disk_body("web01-new")])


def test_a_vm_that_is_recreated_during_its_swap_is_not_changed() -> None:
    """When a VM is deleted and another one gets its name, the swap does not change the new VM."""

    async def story(azure: LocalAzure) -> None:
        slow = {"match": {"operation": "deallocate", "resource": "*"}, "duration_s": 100.0}
        azure.simulator.services.faults.add([slow])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
        azure.simulator.remove_resources([VM_ID])
        again = vm_body()
        again["properties"]["vmId"] = "22222222-2222-2222-2222-222222222222"
        azure.simulator.put_resources([{**again, "tags": {"owner": "another team"}}])
        await azure.settled()
        assert await azure.power(VM_ID) == "running"
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert azure.outcomes()[-1]["reason"] == "vm-gone"

    play(story, FLEET)


def test_a_vm_deleted_during_its_swap_ends_it() -> None:
    """When a stopped VM is deleted its swap ends and the claim is free."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await power_is(azure, "deallocated")
        azure.simulator.remove_resources([VM_ID])
        await azure.settled()
        assert [outcome["reason"] for outcome in azure.outcomes()] == ["vm-gone"]

    play(story, FLEET)


@pytest.mark.parametrize("attached_elsewhere", [False, True])
def test_a_disk_lost_after_the_stop_causes_a_rollback(attached_elsewhere: bool) -> None:
    """When the new disk is deleted or attached elsewhere after the stop, the VM runs its old disk."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await power_is(azure, "deallocating")
        if attached_elsewhere:
            taken = vm_body("web02")
            storage = taken["properties"]["storageProfile"]
            storage["dataDisks"] = [{"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk_id("web01-new")}}]
            azure.simulator.put_resources([taken])
        else:
            azure.simulator.remove_resources([disk_id("web01-new")])
        await azure.settled()
        await assert_well(azure, "web01-old", stops=1)
        assert azure.outcomes()[0]["reason"] == "step-failed"

    play(story, FLEET)


def test_a_start_that_hangs_for_twenty_minutes_ends_on_the_old_disk() -> None:
    """A start that takes longer than its time limit is rolled back, and the VM runs."""

    async def story(azure: LocalAzure) -> None:
        slow = {"match": {"operation": "start", "resource": "*"}, "times": 1, "duration_s": 1200.0}
        azure.simulator.services.faults.add([slow])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        await azure.settled()
        await assert_well(azure, "web01-old", stops=2)

    play(story, FLEET)


@pytest.mark.parametrize("moment", ["deallocating", "deallocated", "starting", "running"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_swap_survives_an_outage_of_azure_of_half_an_hour(moment: str, status: int) -> None:
    """After 30 minutes without ARM in the middle of a swap the VM runs on one of its disks."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
        await power_is(azure, moment)
        body = {"error": {"code": "Busy", "message": "planned"}}
        down = {"match": {"path": "/subscriptions/.*"}, "respond": {"status": status, "body": body}}
        azure.simulator.services.faults.add([down])
        await asyncio.sleep(1800)
        azure.simulator.services.faults.clear()
        await azure.settled()
        await sweep_for(azure, 2)
        assert await azure.power(VM_ID) == "running"
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]
        assert azure.outcomes()[0]["status"] in ("succeeded", "rolled-back"), azure.outcomes()

    play(story, FLEET)


@pytest.mark.parametrize("moment", ["deallocating", "deallocated", "starting", "running"])
def test_an_app_restarted_during_a_swap_finishes_it(moment: str) -> None:
    """After a restart of the app on the same hub the swap ends with one stop."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
        await power_is(azure, moment)
        hub = azure.host.hub
        await azure.host.stop()
        await asyncio.sleep(120)
        settings = {**app_settings(ROOT, azure.endpoints, azure.simulator), **SETTINGS}
        azure.host = FunctionsHost(ROOT, azure.clock, settings=settings, port=0, engine=SimulatedEngine(hub))
        await azure.host.start()
        try:
            await azure.settled()
            await assert_well(azure, "web01-new", stops=1)
        finally:
            await azure.host.stop()

    play(story, FLEET)


@pytest.mark.parametrize("tag", ["OsDiskName", "AutoRefresh", "RefreshState"])
@pytest.mark.parametrize("moment", ["deallocating", "running"])
def test_a_tag_deleted_during_a_swap_leaves_no_vm_down(tag: str, moment: str) -> None:
    """A swap ends well although one of its tags is removed meanwhile."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
        await power_is(azure, moment)
        value = (await azure.vm(VM_ID))["tags"][tag]
        body = {"operation": "Delete", "properties": {"tags": {tag: value}}}
        await azure.arm("PATCH", f"{VM_ID}/providers/Microsoft.Resources/tags/default", body)
        await azure.settled()
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)


def test_a_vm_that_stays_down_blocks_stops_in_its_availability_set() -> None:
    """While a VM of an availability set cannot be started, no other VM of the set is stopped."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([fault("start")])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        assert azure.outcomes()[0]["status"] == "needs-attention"
        await azure.tag(OTHER_ID, OsDiskName="web02-new")
        await asyncio.sleep(600)
        assert azure.journal(OTHER_ID)["stops"] == 0
        azure.simulator.services.faults.clear()
        await sweep_for(azure, 2)
        assert await azure.power(VM_ID) == "running"
        await assert_well(azure, "web02-new", stops=1, vm=OTHER_ID)

    def member(name: str) -> dict[str, Any]:
        body = vm_body(name)
        del body["zones"]
        body["properties"]["availabilitySet"] = {"id": SET_ID}
        return body

    def regional(name: str) -> dict[str, Any]:
        body = disk_body(name)
        del body["zones"]
        return body

    play(story, [member("web01"), member("web02"), regional("web01-new"), regional("web02-new")])


def test_two_recoveries_of_one_vm_stop_it_once() -> None:
    """A swap that is terminated, and whose recovery is terminated, is finished by a third run with one stop in all."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await power_is(azure, "deallocated")
        await terminate_swap(azure)
        for _ in range(4):
            await asyncio.sleep(301)
            await azure.fire("sweep")
        await asyncio.sleep(3)
        if azure.dispatcher_state().get("running"):
            await terminate_swap(azure)
        await sweep_for(azure, 6)
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)


def test_a_step_that_is_delivered_long_after_its_swap_does_nothing() -> None:
    """Activities run at least once, at any time; a late stop, disk change or start changes nothing."""

    async def story(azure: LocalAzure) -> None:
        asked_at = azure.clock.now().isoformat()
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        await azure.tag(VM_ID, OsDiskName="web01-newer")
        await azure.settled()
        await asyncio.sleep(300)
        late = StepInput(VM_ID, disk_id("web01-new"), asked_at=asked_at).to_json()
        for activity in (ensure_stopped, ensure_os_disk, ensure_started):
            assert (await activity(late))["state"] == "waiting"
        await assert_well(azure, "web01-newer", stops=2)

    play(story, FLEET)


def test_a_report_from_before_a_lost_start_proves_nothing() -> None:
    """A powered-off VM keeps its old agent report, which is not used for the new disk when a start's result is lost."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-bad")])
        azure.hub.interruptions = DieOnceAfter("ensure_started", after_s=1)
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.settled()
        await assert_well(azure, "web01-old", stops=2)

    play(story, [vm_body(RefreshStopMode="power-off"), disk_body("web01-bad")])
