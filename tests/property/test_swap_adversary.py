"""Changes by users during a swap, at any time: a VM that ran runs at the end, and no VM is stopped without need."""

from __future__ import annotations

import pytest

from tests.support.worlds.builders import GROUP, VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.swap_world import (
    DieOnceAfter,
    assert_well,
    never_boots,
    power_is,
    runs_on,
    sweep_for,
    terminate_swap,
)

FLEET = [vm_body(), disk_body("web01-new"), disk_body("web01-newer"), disk_body("web01-bad")]
OTHER_ID = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web02"


def test_hold_after_a_lost_stop_still_starts_the_vm() -> None:
    """A VM whose stop lost its result and that is put on hold is started again."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.interruptions = crashes = DieOnceAfter("ensure_stopped")
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(crashes.died))
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
