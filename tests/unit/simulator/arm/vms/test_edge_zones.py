"""Edge zones: disks, snapshots and image versions in them, and that a VM and its disks are in the same one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, VERSION1, VM1, Azure, Json, free_disk, gallery, linux_vm, run_story

EDGE: Json = {"name": "microsoftlosangeles1", "type": "EdgeZone"}
OTHER: Json = {"name": "attatlanta1", "type": "EdgeZone"}


def vm_in(edge: Json | None) -> Json:
    storage = {"storageProfile": {"osDisk": {"name": "old", "managedDisk": {"id": f"{COMPUTE}/disks/old"}}}}
    return linux_vm(_power="deallocated", properties=storage, **placed(edge))


def placed(edge: Json | None) -> Json:
    return {"extendedLocation": dict(edge)} if edge else {}


def disk_from(creation: Json, edge: Json | None) -> Json:
    return {"location": "westeurope", "properties": {"creationData": creation}, **placed(edge)}


FROM_VERSION: Json = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION1}}


@pytest.mark.parametrize(
    ("vm", "disk", "fits"),
    [
        (None, None, True),
        (EDGE, EDGE, True),
        (EDGE, {**EDGE, "name": "MicrosoftLosAngeles1"}, True),
        (EDGE, None, False),
        (None, EDGE, False),
        (EDGE, OTHER, False),
    ],
)
def test_a_swap_needs_a_disk_of_the_vms_edge_zone(vm: Json | None, disk: Json | None, fits: bool) -> None:
    """A disk elsewhere is refused, also one in the region itself."""

    async def story(azure: Azure) -> None:
        reply = await azure.swap("next")
        if fits:
            assert reply.status == 200, reply.body
            return
        assert (reply.status, reply.code) == (400, "BadRequest")
        assert "not in the same extended location" in reply.message
        assert (await azure.disk("next"))["properties"]["diskState"] == "Unattached"

    run_story(story, [vm_in(vm), free_disk("old", **placed(vm)), free_disk("next", **placed(disk))])


def test_a_new_vm_takes_a_disk_of_its_edge_zone_only() -> None:
    """An attached OS disk must be where the VM is; disks that the VM makes are."""
    attach = {"name": "here", "createOption": "Attach", "osType": "Linux"}

    async def story(azure: Azure) -> None:
        disk = {"osDisk": {**attach, "managedDisk": {"id": f"{COMPUTE}/disks/here"}}}
        body = {"location": "westeurope", "properties": {"storageProfile": disk}}
        refused = await azure.arm("PUT", VM1, body)
        assert (refused.status, refused.code) == (400, "BadRequest")
        await azure.finish(await azure.arm("PUT", VM1, body | placed({"name": EDGE["name"]})))
        vm = await azure.vm()
        assert vm["extendedLocation"] == EDGE
        image = {"imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}}
        body = {"location": "westeurope", "properties": {"storageProfile": image}, **placed(EDGE)}
        await azure.finish(await azure.arm("PUT", f"{COMPUTE}/virtualMachines/vm2", body))
        name = (await azure.vm("vm2"))["properties"]["storageProfile"]["osDisk"]["name"]
        assert (await azure.disk(name))["extendedLocation"] == EDGE
        data = {"lun": 0, "name": "data", "createOption": "Empty", "diskSizeGB": 4}
        change = {"properties": {"storageProfile": {"dataDisks": [data]}}}
        await azure.finish(await azure.arm("PATCH", f"{COMPUTE}/virtualMachines/vm2", change))
        assert (await azure.disk("data"))["extendedLocation"] == EDGE

    run_story(story, [free_disk("here", **placed(EDGE))])


@pytest.mark.parametrize("path", [VM1, f"{COMPUTE}/disks/old", f"{COMPUTE}/snapshots/shot"])
def test_an_edge_zone_never_changes(path: str) -> None:
    """A PUT with another edge zone is refused; one without keeps it."""

    async def story(azure: Azure) -> None:
        body: Json = (await azure.arm("GET", path)).body
        refused = await azure.arm("PUT", path, body | placed(OTHER))
        assert (refused.status, refused.code) == (409, "PropertyChangeNotAllowed")
        del body["extendedLocation"]
        if path == VM1:  # otherwise the VM stays as it is, which needs no operation
            body["properties"]["licenseType"] = "RHEL_BYOS"
        await azure.finish(await azure.arm("PUT", path, body))
        assert (await azure.arm("GET", path)).body["extendedLocation"] == EDGE

    shot = {"id": f"{COMPUTE}/snapshots/shot", "location": "westeurope", "properties": {"diskSizeGB": 30}}
    run_story(story, [vm_in(EDGE), free_disk("old", **placed(EDGE)), shot | placed(EDGE)])


def test_a_copy_is_made_where_its_source_is() -> None:
    """A snapshot and a disk of another edge zone, or of the region, are refused."""

    async def story(azure: Azure) -> None:
        source = {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/here"}
        for path in (f"{COMPUTE}/snapshots/made", f"{COMPUTE}/disks/made"):
            for edge in (None, OTHER):
                refused = await azure.arm("PUT", path, disk_from(source, edge))
                assert (refused.status, refused.code) == (400, "InvalidParameter")
            await azure.finish(await azure.arm("PUT", path, disk_from(source, EDGE)))
            assert (await azure.arm("GET", path)).body["extendedLocation"] == EDGE

    run_story(story, [free_disk("here", **placed(EDGE))])


def targets(*edges: Json) -> Json:
    blocks = [{"name": "West Europe", "extendedLocation": dict(edge)} for edge in edges]
    return {"targetRegions": [{"name": "westeurope"}], "targetExtendedLocations": blocks}


def test_a_disk_in_an_edge_zone_needs_a_replica_of_the_version_there() -> None:
    """Refused before the version has the edge zone as a target, and until the replica has arrived."""

    async def story(azure: Azure) -> None:
        path, body = f"{COMPUTE}/disks/made", disk_from(FROM_VERSION, EDGE)
        refused = await azure.arm("PUT", path, body)
        assert (refused.status, refused.code) == (404, "GalleryImageNotFound")
        assert "microsoftlosangeles1" in refused.message
        update = await azure.arm("PATCH", VERSION1, {"properties": {"publishingProfile": targets(EDGE)}})
        early = await azure.arm("PUT", path, body)
        assert (early.status, early.code) == (409, "OperationNotAllowed")
        await azure.finish(update)
        await azure.finish(await azure.arm("PUT", path, body))
        assert (await azure.disk("made"))["extendedLocation"] == EDGE
        elsewhere = await azure.arm("PUT", f"{COMPUTE}/disks/other", disk_from(FROM_VERSION, OTHER))
        assert elsewhere.code == "GalleryImageNotFound"

    run_story(story, gallery())


def test_a_version_completes_its_target_edge_zones() -> None:
    """Replica count, SKU and type are added; the replication status has regions only."""

    async def story(azure: Azure) -> None:
        shown = (await azure.arm("GET", f"{VERSION1}?$expand=ReplicationStatus")).body["properties"]
        (target,) = shown["publishingProfile"]["targetExtendedLocations"]
        assert target == {
            "name": "West Europe",
            "extendedLocation": EDGE,
            "extendedLocationReplicaCount": 1,
            "storageAccountType": "StandardSSD_LRS",
        }
        assert [each["region"] for each in shown["replicationStatus"]["summary"]] == ["westeurope"]
        await asyncio.sleep(1)
        await azure.finish(await azure.arm("PUT", f"{COMPUTE}/disks/made", disk_from(FROM_VERSION, EDGE)))

    bodies: list[Any] = gallery()
    bodies[2]["properties"]["publishingProfile"] = targets({"name": EDGE["name"]})
    run_story(story, bodies)
