"""Managed images and snapshots, and versions from them: accepted and refused sources, failed replications."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, GALLERY, VM1, Azure, Json, free_disk, gallery, linux_vm, run_story

IMAGE = f"{COMPUTE}/images/img"
SNAPSHOT = f"{COMPUTE}/snapshots/snap"
DEFINITION = f"{GALLERY}/images/general"
VERSION = f"{DEFINITION}/versions/1.0.0"
FROM_VM = {"location": "westeurope", "properties": {"sourceVirtualMachine": {"id": VM1}, "hyperVGeneration": "V2"}}


def definition(**properties: object) -> Json:
    made = {"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2", **properties}
    return {"id": DEFINITION, "location": "westeurope", "properties": made}


def version(storage: Json, *regions: str) -> Json:
    profile = {"targetRegions": [{"name": name} for name in regions or ("westeurope",)]}
    return {"location": "westeurope", "properties": {"publishingProfile": profile, "storageProfile": storage}}


def from_blob(**os_disk: object) -> Json:
    block = {
        "osType": "Linux",
        "osState": "Generalized",
        "blobUri": "https://a.blob.core.windows.net/v/d.vhd",
        **os_disk,
    }
    profile = {"osDisk": {key: value for key, value in block.items() if value}}
    return {"location": "westeurope", "properties": {"hyperVGeneration": "V1", "storageProfile": profile}}


def test_a_generalized_vm_becomes_an_image_and_a_version_of_it() -> None:
    """201 without Location or Retry-After; the finished image has sizes; its version has the OS and data disks."""

    async def story(azure: Azure) -> None:
        refused = await azure.arm("PUT", IMAGE, FROM_VM)
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        assert (await azure.arm("POST", f"{VM1}/generalize")).status == 200
        made = await azure.arm("PUT", IMAGE, FROM_VM)
        assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
        assert not {"Location", "Retry-After"} & made.headers.keys()
        assert "diskSizeGB" not in made.body["properties"]["storageProfile"]["osDisk"]
        await azure.finish(made)
        profile = (await azure.arm("GET", IMAGE)).body["properties"]["storageProfile"]
        assert (profile["osDisk"]["osState"], profile["osDisk"]["diskSizeGB"]) == ("Generalized", 30)
        assert [(disk["lun"], disk["diskSizeGB"]) for disk in profile["dataDisks"]] == [(0, 64)]
        built = await azure.arm("PUT", VERSION, version({"source": {"id": IMAGE}}))
        await azure.finish(built)
        storage = (await azure.arm("GET", VERSION)).body["properties"]["storageProfile"]
        assert storage["dataDiskImages"] == [{"lun": 0, "sizeInGB": 64, "hostCaching": "None"}]
        gone = await azure.arm("DELETE", IMAGE)
        assert (gone.status, "Retry-After" in gone.headers) == (202, False)
        await azure.finish(gone)
        assert (await azure.arm("GET", IMAGE)).status == 404
        assert (await azure.arm("GET", VERSION)).status == 200

    data = {"lun": 0, "name": "data", "createOption": "Attach", "managedDisk": {"id": f"{COMPUTE}/disks/data"}}
    vm = linux_vm(properties={"storageProfile": {"dataDisks": [data]}})
    run_story(story, [*gallery(), definition(), free_disk("data", {"diskSizeGB": 64, "osType": None}), vm])


def test_an_image_of_a_vm_shows_its_disks_and_blobs() -> None:
    """Without data disks the list is empty; an unmanaged disk is a blob with a size from the start."""

    async def story(azure: Azure) -> None:
        for vm in ("managed", "unmanaged"):
            source = {"sourceVirtualMachine": {"id": f"{COMPUTE}/virtualMachines/{vm}"}}
            body = {"location": "westeurope", "properties": source}
            made = await azure.arm("PUT", f"{COMPUTE}/images/{vm}", body)
            await azure.finish(made)
            profile = made.body["properties"]["storageProfile"]
            assert profile["dataDisks"] == []
            assert ("blobUri" in profile["osDisk"]) == (vm == "unmanaged")
            assert ("managedDisk" in profile["osDisk"]) == (vm == "managed")
            assert ("diskSizeGB" in profile["osDisk"]) == (vm == "unmanaged")

    blob = {"vhd": {"uri": "https://s.blob.core.windows.net/vhds/os.vhd"}, "name": "os", "osType": "Linux"}
    unmanaged = linux_vm("unmanaged", _generalized=True, properties={"storageProfile": {"osDisk": blob}})
    run_story(story, [linux_vm("managed", _generalized=True), unmanaged])


@pytest.mark.parametrize(
    ("body", "code", "part"),
    [
        (from_blob(osType=None), "InvalidParameter", "'osType'"),
        (from_blob(blobUri=None), "InvalidParameter", "'blobUri'"),
        (
            {**from_blob(), "properties": {"storageProfile": from_blob()["properties"]["storageProfile"]}},
            "InvalidParameter",
            "'hyperVGeneration'",
        ),
        ({**FROM_VM, "properties": {"sourceVirtualMachine": {"id": f"{VM1}x"}}}, "ResourceNotFound", "vm1x"),
        (FROM_VM, "InvalidParameter", "TrustedLaunch"),
        ({**FROM_VM, "location": ""}, "LocationRequired", ""),
    ],
)
def test_an_image_from_an_invalid_source_is_refused(body: Json, code: str, part: str) -> None:
    """A missing field, a missing VM, no generation and Trusted Launch are refused at once; no image is made."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PUT", IMAGE, body)
        assert (reply.code, part in reply.message) == (code, True)
        assert (await azure.arm("GET", IMAGE)).status == 404

    run_story(story, [linux_vm(properties={"securityProfile": {"securityType": "TrustedLaunch"}})])


def test_disks_snapshots_and_blobs_become_versions() -> None:
    """Each disk has its own source and its caching; a source that is missing or in another region is refused."""

    async def story(azure: Azure) -> None:
        taken = await azure.arm(
            "PUT",
            SNAPSHOT,
            {
                "location": "westeurope",
                "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/d"}},
            },
        )
        assert (taken.status, taken.headers["Retry-After"]) == (202, "2")
        await azure.finish(taken)
        snapshot = (await azure.arm("GET", SNAPSHOT)).body["properties"]
        assert (snapshot["osType"], snapshot["hyperVGeneration"], snapshot["diskSizeGB"]) == ("Linux", "V2", 30)
        blob = {"storageAccountId": f"{COMPUTE}/storageAccounts/a", "uri": "https://a.blob.core.windows.net/v/d.vhd"}
        storage = {
            "osDiskImage": {"source": {"id": SNAPSHOT}},
            "dataDiskImages": [{"lun": 3, "source": {"id": f"{COMPUTE}/disks/d"}}, {"lun": 4, "source": blob}],
        }
        built = await azure.arm("PUT", VERSION, version(storage))
        shown = built.body["properties"]["storageProfile"]
        assert (shown["osDiskImage"]["hostCaching"], "sizeInGB" in shown["osDiskImage"]) == ("ReadWrite", False)
        await azure.finish(built)
        done = (await azure.arm("GET", VERSION)).body["properties"]["storageProfile"]
        assert [(disk["lun"], disk["sizeInGB"], disk["hostCaching"]) for disk in done["dataDiskImages"]] == [
            (3, 30, "ReadOnly"),
            (4, 30, "ReadOnly"),
        ]
        elsewhere = version({"osDiskImage": {"source": {"id": f"{COMPUTE}/disks/far"}}})
        gone = version({"osDiskImage": {"source": {"id": f"{COMPUTE}/snapshots/none"}}})
        answers = [await azure.arm("PUT", f"{DEFINITION}/versions/2.0.0", body) for body in (elsewhere, gone)]
        assert [(one.status, one.code) for one in answers] == [(400, "InvalidParameter"), (404, "ResourceNotFound")]
        assert (await azure.arm("DELETE", SNAPSHOT)).status == 202

    run_story(story, [*gallery(), definition(), free_disk("d"), free_disk("far", location="uksouth")])


def test_a_definition_that_supports_trusted_launch_takes_a_blob_but_no_disk() -> None:
    """A VHD blob is accepted as Azure documents; a disk is refused like a VM."""
    features = [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
    blob = {"storageAccountId": f"{COMPUTE}/storageAccounts/a", "uri": "https://a.blob.core.windows.net/v/d.vhd"}

    async def story(azure: Azure) -> None:
        disk = await azure.arm("PUT", VERSION, version({"osDiskImage": {"source": {"id": f"{COMPUTE}/disks/d"}}}))
        assert (disk.status, "TrustedLaunchSupported" in disk.message) == (400, True)
        assert (await azure.arm("PUT", VERSION, version({"osDiskImage": {"source": blob}}))).status == 201

    run_story(story, [*gallery(), definition(features=features), free_disk("d")])


def test_a_failed_replication_shows_in_the_regions_its_error_names() -> None:
    """One region of three fails with Azure's details, the others complete; removed and added again, it completes."""
    regions = ("westeurope", "uksouth", "northeurope")
    error = {"code": "ValidationError", "message": "The failing regions are '{region:northeurope, detail:no room.}'."}

    async def status(azure: Azure) -> Json:
        body = (await azure.arm("GET", f"{VERSION}?$expand=ReplicationStatus")).body["properties"]
        assert isinstance(body, dict)
        return body

    async def story(azure: Azure) -> None:
        azure.simulator.services.faults.add([{"match": {"operation": "versionCreate"}, "times": 1, "fail": error}])
        storage = {"osDiskImage": {"source": {"id": f"{COMPUTE}/disks/d"}}}
        await azure.finish(await azure.arm("PUT", VERSION, version(storage, *regions)))
        failed = await status(azure)
        summary = {one["region"]: (one["state"], one.get("details")) for one in failed["replicationStatus"]["summary"]}
        assert (failed["provisioningState"], failed["replicationStatus"]["aggregatedState"]) == ("Failed", "Failed")
        assert summary["northeurope"] == ("Failed", "no room.")
        assert {state for region, (state, _) in summary.items() if region != "northeurope"} == {"Completed"}
        for wanted in (regions[:2], regions):
            profile = {"publishingProfile": {"targetRegions": [{"name": name} for name in wanted]}}
            await azure.finish(await azure.arm("PATCH", VERSION, {"properties": profile}))
            await asyncio.sleep(1)
        cured = await status(azure)
        assert (cured["provisioningState"], cured["replicationStatus"]["aggregatedState"]) == ("Succeeded", "Completed")

    run_story(story, [*gallery(), definition(), free_disk("d")])


def test_an_error_without_regions_fails_every_replica() -> None:
    """An error that names no region marks every region as failed."""
    error = {"code": "InternalError", "message": "try again"}

    async def story(azure: Azure) -> None:
        azure.simulator.services.faults.add([{"match": {"operation": "versionCreate"}, "times": 1, "fail": error}])
        storage = {"osDiskImage": {"source": {"id": f"{COMPUTE}/disks/d"}}}
        await azure.finish(await azure.arm("PUT", VERSION, version(storage, "westeurope", "uksouth")))
        body = (await azure.arm("GET", f"{VERSION}?$expand=ReplicationStatus")).body["properties"]
        summary = body["replicationStatus"]["summary"]
        assert [(one["state"], one["progress"], one["details"]) for one in summary] == [("Failed", 0, "try again")] * 2

    run_story(story, [*gallery(), definition(), free_disk("d")])
