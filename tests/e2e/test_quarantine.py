"""After two rollbacks from an image version no other VM is swapped to it."""

from __future__ import annotations

from typing import Any

from tests.support.worlds.builders import GROUP, VERSION_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body, vm_id

NAMES = ("web01", "web02", "web03")


def bad_disk(name: str) -> dict[str, Any]:
    origin = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}
    return disk_body(f"{name}-bad", creationData=origin)


def test_a_version_is_quarantined_after_two_rollbacks() -> None:
    """After the rollback of two VMs their version is quarantined, and the third VM is refused before downtime."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "*-bad", "boots": False}])
        for name in NAMES:
            await azure.tag(vm_id(name), OsDiskName=f"{name}-bad")
            await azure.settled()
        assert [outcome["status"] for outcome in azure.outcomes()] == ["rolled-back", "rolled-back"]
        assert azure.journal(vm_id("web03"))["stops"] == 0
        version = await azure.arm("GET", VERSION_ID)
        assert version["tags"]["RefreshQuarantined"] == "rolled back on 2 VMs"
        assert version["properties"]["publishingProfile"]["excludeFromLatest"] is True
        regions = [one["name"] for one in version["properties"]["publishingProfile"]["targetRegions"]]
        assert regions == ["West Europe", "UK South"]
        status, seen = await azure.api("GET", "/api/vms?vm=web03")
        assert (status, seen["decision"], seen["reason"]) == (200, "refuse", "image-quarantined"), seen
        assert await azure.os_disk(vm_id("web03")) == "web03-old"
        events = [row["event"] for row in azure.simulator.published()]
        (announced,) = [event for event in events if event["type"] == "refresh.image.quarantined"]
        assert (announced["subject"], len(announced["data"]["rolled_back"])) == (VERSION_ID, 2)

    fleet = [body for name in NAMES for body in (vm_body(name), bad_disk(name))]
    version = version_body(VERSION_ID, regions=("westeurope", "uksouth"))
    play(story, [*gallery_bodies(), version, *fleet])


def test_one_rollback_quarantines_no_version() -> None:
    """After the rollback of a single VM other VMs are still swapped to the version."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False}])
        for name in NAMES[:2]:
            await azure.tag(vm_id(name), OsDiskName=f"{name}-bad")
            await azure.settled()
        assert [outcome["status"] for outcome in azure.outcomes()] == ["rolled-back", "succeeded"]
        assert "RefreshQuarantined" not in (await azure.arm("GET", VERSION_ID)).get("tags", {})
        assert await azure.os_disk(vm_id("web02")) == "web02-bad"
        assert disk_id("web01-bad").lower() in {
            name for row in azure.dispatcher_state()["rejected"] for name in row["names"]
        }

    fleet = [body for name in NAMES[:2] for body in (vm_body(name), bad_disk(name))]
    play(story, [*gallery_bodies(), version_body(VERSION_ID), *fleet])


def test_two_rollbacks_of_many_vms_quarantine_no_version() -> None:
    """Two of three VMs are fewer than the share that the setting requires, and the third VM keeps the version."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": f"{name}-bad", "boots": False} for name in NAMES[1:]])
        for name in NAMES:
            await azure.tag(vm_id(name), OsDiskName=f"{name}-bad")
            await azure.settled()
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded", "rolled-back", "rolled-back"]
        assert "RefreshQuarantined" not in (await azure.arm("GET", VERSION_ID)).get("tags", {})
        assert any("was rolled back on 2 of 3 VMs" in line for line in azure.outcomes()[-1]["evidence"])

    fleet = [body for name in NAMES for body in (vm_body(name), bad_disk(name))]
    settings = {"REFRESH_QUARANTINE_SHARE": "80%"}
    play(story, [*gallery_bodies(), version_body(VERSION_ID), *fleet], settings=settings)


def test_rollbacks_of_one_group_alone_quarantine_no_version() -> None:
    """The VM of another resource group runs the version well: the fault may be the first group's own."""
    other, ending = GROUP.replace("rg-app", "rg-other"), "providers/Microsoft.Compute"
    elsewhere = f"{other}/{ending}/virtualMachines/web03"

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": f"{name}-bad", "boots": False} for name in NAMES[:2]])
        for vm, disk in ((elsewhere, "web03-bad"), (vm_id("web01"), "web01-bad"), (vm_id("web02"), "web02-bad")):
            await azure.tag(vm, OsDiskName=disk)
            await azure.settled()
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded", "rolled-back", "rolled-back"]
        assert "RefreshQuarantined" not in (await azure.arm("GET", VERSION_ID)).get("tags", {})
        assert any("all in group rg-app" in line for line in azure.outcomes()[-1]["evidence"])

    vm, disk = vm_body("web03"), bad_disk("web03")
    vm["id"], disk["id"] = elsewhere, f"{other}/{ending}/disks/web03-bad"
    old = f"{other}/{ending}/disks/web03-old"
    vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"] = old
    fleet = [body for name in NAMES[:2] for body in (vm_body(name), bad_disk(name))]
    play(story, [*gallery_bodies(), version_body(VERSION_ID), *fleet, vm, disk])


def test_an_outage_quarantines_no_version() -> None:
    """Azure fails every change and start of an hour on both VMs: their disks may be requested again afterwards."""

    async def story(azure: LocalAzure) -> None:
        faults = azure.simulator.services.faults
        fails = {"code": "InternalExecutionError", "message": "planned"}
        faults.add([{"match": {"operation": "update", "resource": "web01"}, "fail": fails}])
        faults.add([{"match": {"operation": "start", "resource": "web02"}, "times": 20, "fail": fails}])
        for name in NAMES[:2]:
            await azure.tag(vm_id(name), OsDiskName=f"{name}-bad")
        await azure.settled(20000)
        assert not azure.dispatcher_state().get("rejected")
        assert "RefreshQuarantined" not in (await azure.arm("GET", VERSION_ID)).get("tags", {})
        faults.clear()
        for name in NAMES[:2]:
            await azure.tag(vm_id(name), OsDiskName=f"{name}-bad")
            await azure.settled()
            assert await azure.os_disk(vm_id(name)) == f"{name}-bad"

    fleet = [body for name in NAMES[:2] for body in (vm_body(name), bad_disk(name))]
    play(story, [*gallery_bodies(), version_body(VERSION_ID), *fleet])
