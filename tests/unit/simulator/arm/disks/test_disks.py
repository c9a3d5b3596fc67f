"""Managed disks: defaults, inherited properties, refusals."""

from __future__ import annotations

import pytest

from tests.unit.simulator.arm.azure import (
    COMPUTE,
    VERSION1,
    VM1,
    Azure,
    Json,
    free_disk,
    gallery,
    linux_vm,
    run_story,
)  # fmt: skip

FROM_VERSION: Json = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION1}}


def new_disk(creation: Json, location: str = "westeurope", **properties: object) -> Json:
    body: Json = {"location": location, "sku": {"name": "Premium_LRS"}, "tags": {}}
    return body | {"properties": {"creationData": creation, **properties}}


def test_a_disk_from_a_version_inherits_system_generation_and_size() -> None:
    """The first answer is 202 with the request body; the finished disk has the inherited properties and defaults."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PUT", f"{COMPUTE}/disks/new", new_disk(FROM_VERSION))
        assert (reply.status, reply.headers["Retry-After"]) == (202, "2")
        assert reply.body["properties"] == {"creationData": FROM_VERSION, "provisioningState": "Updating"}
        status = await azure.finish(reply)
        disk = await azure.disk("new")
        assert status["properties"]["output"] == disk
        assert (await azure.arm("GET", reply.headers["Location"])).body == disk
        properties = disk["properties"]
        assert properties["creationData"] == FROM_VERSION | {"imageReference": {"id": VERSION1}}
        assert (properties["osType"], properties["hyperVGeneration"], properties["diskSizeGB"]) == ("Linux", "V2", 30)
        assert (properties["tier"], properties["diskIOPSReadWrite"], disk["sku"]["tier"]) == ("P4", 120, "Premium")
        assert properties["diskState"] == "Unattached"

    run_story(story, gallery())


def test_a_disk_has_every_setting_of_the_request() -> None:
    """Over those of its image; capabilities that the request does not name are the image's."""
    settings: Json = {
        "diskSizeGB": 1024,
        "dataAccessAuthMode": "AzureActiveDirectory",
        "networkAccessPolicy": "DenyAll",
        "publicNetworkAccess": "Disabled",
        "optimizedForFrequentAttach": True,
        "availabilityPolicy": {"actionOnDiskDelay": "AutomaticReattach"},
        "maxShares": 2,
        "burstingEnabled": True,
        "tier": "P50",
        "supportsHibernation": True,
        "securityProfile": {"securityType": "TrustedLaunch"},
    }
    capabilities = {"diskControllerTypes": "SCSI, NVMe", "acceleratedNetwork": True}

    async def story(azure: Azure) -> None:
        creation = FROM_VERSION | {"performancePlus": True}
        body = new_disk(creation, supportedCapabilities=capabilities, **settings)
        await azure.finish(await azure.arm("PUT", f"{COMPUTE}/disks/new", body))
        properties = (await azure.disk("new"))["properties"]
        assert {key: properties[key] for key in settings} == settings
        assert properties["supportedCapabilities"] == {"architecture": "x64", **capabilities}
        assert properties["creationData"]["performancePlus"] is True

    run_story(story, gallery())


def test_a_copy_names_the_unique_id_of_its_source() -> None:
    """A copy inherits system and size and has the unique id of its source."""

    async def story(azure: Azure) -> None:
        source = await azure.disk("source")
        creation = {"createOption": "Copy", "sourceResourceId": source["id"]}
        await azure.finish(await azure.arm("PUT", f"{COMPUTE}/disks/copy", new_disk(creation)))
        copy = (await azure.disk("copy"))["properties"]
        assert copy["creationData"]["sourceUniqueId"] == source["properties"]["uniqueId"]
        assert (copy["osType"], copy["diskSizeGB"]) == ("Linux", 64)
        assert copy["uniqueId"] != source["properties"]["uniqueId"]

    run_story(story, [free_disk("source", {"diskSizeGB": 64})])


REFUSALS: dict[str, tuple[Json, int, str]] = {
    "no such version": (
        new_disk({"createOption": "FromImage", "galleryImageReference": {"id": VERSION1 + "9"}}),
        404,
        "GalleryImageNotFound",
    ),
    "a region without a replica": (new_disk(FROM_VERSION, "northeurope"), 404, "GalleryImageNotFound"),
    "smaller than the image": (new_disk(FROM_VERSION, diskSizeGB=10), 409, "OperationNotAllowed"),
    "no creation data": ({"location": "westeurope", "properties": {}}, 400, "InvalidParameter"),
    "performance plus on a small disk": (
        new_disk({"createOption": "Empty", "performancePlus": True}, diskSizeGB=512),
        400,
        "InvalidParameter",
    ),
    "no size": (new_disk({"createOption": "Empty"}), 400, "InvalidParameter"),
    "no location": ({"properties": {"creationData": FROM_VERSION}}, 400, "LocationRequired"),
    "zones where there are none": (
        new_disk({"createOption": "Empty"}, "westus", diskSizeGB=4) | {"zones": ["1"]},
        400,
        "LocationNotSupportAvailabilityZones",
    ),
    "a zone-redundant disk without zones": (
        new_disk({"createOption": "Empty"}, "westus", diskSizeGB=4) | {"sku": {"name": "StandardSSD_ZRS"}},
        400,
        "InvalidParameter",
    ),
    "a security type on a copy": (
        new_disk(
            {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/source"},
            securityProfile={"securityType": "TrustedLaunch"},
        ),
        400,
        "InvalidParameter",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_disk_azure_would_not_make_is_refused(case: str) -> None:
    """Status and code are Azure's; no disk is made."""
    body, status, code = REFUSALS[case]

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PUT", f"{COMPUTE}/disks/new", body)
        assert (reply.status, reply.code) == (status, code)
        assert (await azure.arm("GET", f"{COMPUTE}/disks/new")).status == 404

    run_story(story, [*gallery(), free_disk("source")])


def test_an_attached_disk_is_not_deleted() -> None:
    """A delete fails with OperationNotAllowed, which names disk and VM; the disk stays."""

    async def story(azure: Azure) -> None:
        disk_id = (await azure.vm())["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
        reply = await azure.arm("DELETE", disk_id)
        assert (reply.status, reply.code) == (409, "OperationNotAllowed")
        assert reply.message == f"Disk {disk_id.rsplit('/', 1)[-1]} is attached to VM {VM1}."
        assert (await azure.arm("GET", disk_id)).status == 200

    run_story(story, [linux_vm()])


def test_a_disk_changes_its_sku_and_size_but_never_shrinks() -> None:
    """A PATCH changes SKU, size and performance; a PATCH to a smaller size fails."""

    async def story(azure: Azure) -> None:
        path = f"{COMPUTE}/disks/data"
        change = {"sku": {"name": "Standard_LRS"}, "properties": {"diskSizeGB": 128}, "tags": {"a": "b"}}
        await azure.finish(await azure.arm("PATCH", path, change))
        disk = await azure.disk("data")
        assert (disk["sku"]["tier"], disk["properties"]["diskIOPSReadWrite"], disk["tags"]) == (
            "Standard",
            500,
            {"a": "b"},
        )
        assert "tier" not in disk["properties"]
        status = await azure.finish(await azure.arm("PATCH", path, {"properties": {"diskSizeGB": 4}}))
        assert (status["status"], status["error"]["code"]) == ("Failed", "InvalidParameter")
        assert (await azure.disk("data"))["properties"]["diskSizeGB"] == 128

    run_story(story, [free_disk("data")])


def test_a_failed_disk_create_leaves_no_disk() -> None:
    """A fault of diskCreate leaves no disk."""

    async def story(azure: Azure) -> None:
        error = {"code": "InternalError", "message": "Encountered internal server error."}
        rule = {"match": {"operation": "diskCreate", "resource": "new*"}, "fail": error, "after_s": 3}
        await azure.sim("POST", "faults", [rule])
        reply = await azure.arm("PUT", f"{COMPUTE}/disks/new1", new_disk(FROM_VERSION))
        begun = azure.clock.time()
        assert (await azure.finish(reply))["error"]["code"] == "InternalError"
        assert azure.clock.time() - begun == pytest.approx(3)
        assert (await azure.arm("GET", f"{COMPUTE}/disks/new1")).status == 404

    run_story(story, gallery())
