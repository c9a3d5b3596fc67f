"""Bodies of disks, snapshots and galleries as Azure answers them."""

from __future__ import annotations

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, GALLERY, SUB, Azure, Json, free_disk, gallery, run_story

DISK = f"{COMPUTE}/disks/d"
SNAPSHOT = f"{COMPUTE}/snapshots/s"
GIB = 1024**3


async def made(azure: Azure, path: str, properties: Json, **more: object) -> Json:
    """The body of a resource after its PUT has ended."""
    sent = {"location": "westeurope", "properties": properties, **more}
    status = await azure.finish(await azure.arm("PUT", path, sent))
    assert status["status"] == "Succeeded"
    body: Json = (await azure.arm("GET", path)).body
    return body


@pytest.mark.parametrize("path", [DISK, SNAPSHOT])
def test_the_answer_to_a_patch_has_every_field(path: str) -> None:
    """A PUT answers with what was sent, a PATCH with the whole resource, in the state Updating."""

    async def story(azure: Azure) -> None:
        before = await made(azure, path, {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8})
        put = await azure.arm("PUT", path, {"location": "westeurope", "properties": {"diskSizeGB": 8}})
        assert put.status == 202
        assert put.body["properties"] == {"diskSizeGB": 8, "provisioningState": "Updating"}
        await azure.finish(put)
        reply = await azure.arm("PATCH", path, {"tags": {"a": "b"}})
        await azure.finish(reply)
        assert (reply.status, reply.body["tags"]) == (202, {"a": "b"})
        assert reply.body["properties"].pop("provisioningState") == "Updating"
        assert reply.body["properties"].keys() == before["properties"].keys() - {"provisioningState"}
        assert reply.body.keys() >= before.keys()

    run_story(story, [free_disk("other")])


def test_an_ultra_disk_shows_its_sector_size_and_shares() -> None:
    """Values of the request stay; a Premium SSD shows none of them."""

    async def story(azure: Azure) -> None:
        empty = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}
        ultra = (await made(azure, DISK, {**empty, "maxShares": 2}, sku={"name": "UltraSSD_LRS"}))["properties"]
        assert ultra["creationData"]["logicalSectorSize"] == 4096
        assert (ultra["readOnly"], ultra["maxShares"]) == (False, 2)
        assert ultra["diskIOPSReadOnly"] == ultra["diskIOPSReadWrite"]
        plain = (await made(azure, f"{DISK}2", empty, sku={"name": "Premium_LRS"}))["properties"]
        assert not plain.keys() & {"readOnly", "maxShares", "diskIOPSReadOnly", "burstingEnabledTime"}

    run_story(story, [free_disk("other")])


def test_a_disk_with_bursting_shows_since_when() -> None:
    """From its creation, or from the update that allows it."""

    async def story(azure: Azure) -> None:
        empty = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1024}
        body = await made(azure, DISK, {**empty, "burstingEnabled": True}, sku={"name": "Premium_LRS"})
        assert body["properties"]["burstingEnabledTime"]
        await made(azure, f"{DISK}2", empty, sku={"name": "Premium_LRS"})
        await azure.finish(await azure.arm("PATCH", f"{DISK}2", {"properties": {"burstingEnabled": True}}))
        assert (await azure.disk("d2"))["properties"]["burstingEnabledTime"]

    run_story(story, [free_disk("other")])


@pytest.mark.parametrize(
    ("creation", "size_gb"),
    [
        ({"createOption": "Upload", "uploadSizeBytes": 20 * GIB + 512}, None),
        ({"createOption": "UploadPreparedSecure", "uploadSizeBytes": 32 * GIB}, None),
        ({"createOption": "Import", "sourceUri": "https://s.blob.core.windows.net/v/a.vhd"}, 30),
    ],
)
def test_a_disk_of_a_file_needs_no_size(creation: Json, size_gb: int | None) -> None:
    """An imported file has one; a disk that waits for its upload shows none."""

    async def story(azure: Azure) -> None:
        properties = (await made(azure, DISK, {"creationData": creation}))["properties"]
        assert properties.get("diskSizeGB") == size_gb
        assert properties["diskState"] == ("Unattached" if size_gb else "ReadyToUpload")

    run_story(story, [free_disk("other")])


@pytest.mark.parametrize("path", [DISK, SNAPSHOT])
@pytest.mark.parametrize("source", ["disks/absent", "snapshots/absent"])
def test_a_copy_of_an_absent_source_is_refused(path: str, source: str) -> None:
    """404 with the provider's code NotFound; nothing is made."""

    async def story(azure: Azure) -> None:
        creation = {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/{source}"}
        reply = await azure.arm("PUT", path, {"location": "westeurope", "properties": {"creationData": creation}})
        assert (reply.status, reply.code) == (404, "NotFound")
        assert f"{COMPUTE}/{source}" in reply.message
        assert (await azure.arm("GET", path)).code == "ResourceNotFound"

    run_story(story, [free_disk("other")])


def test_incremental_snapshots_of_one_disk_are_one_family() -> None:
    """Snapshots of another disk, and full ones, are not of it; a copy into another region shows its progress."""

    async def story(azure: Azure) -> None:
        async def snapshot(name: str, source: str, *, incremental: bool = True) -> Json:
            creation = {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/{source}"}
            properties = {"creationData": creation, "incremental": incremental}
            shown: Json = (await made(azure, f"{COMPUTE}/snapshots/{name}", properties))["properties"]
            return shown

        family = (await snapshot("a", "one"))["incrementalSnapshotFamilyId"]
        assert (await snapshot("b", "one"))["incrementalSnapshotFamilyId"] == family
        assert (await snapshot("c", "two"))["incrementalSnapshotFamilyId"] != family
        assert "incrementalSnapshotFamilyId" not in await snapshot("e", "one", incremental=False)
        creation = {"createOption": "CopyStart", "sourceResourceId": f"{COMPUTE}/snapshots/a"}
        sent = {"location": "northeurope", "properties": {"creationData": creation, "incremental": True}}
        await azure.finish(await azure.arm("PUT", f"{COMPUTE}/snapshots/far", sent))
        far = (await azure.arm("GET", f"{COMPUTE}/snapshots/far")).body["properties"]
        assert far["completionPercent"] == 100
        assert far["creationData"]["sourceUniqueId"]

    run_story(story, [free_disk("one"), free_disk("two")])


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_gallery_is_not_shared_with_groups_outside_the_preview(method: str) -> None:
    """Without the preview 400; with it, or for a gallery that is shared already, the write is accepted."""

    async def story(azure: Azure) -> None:
        sent = {"location": "westeurope", "properties": {"sharingProfile": {"permissions": "Groups"}}}
        path = GALLERY if method == "PATCH" else f"{COMPUTE}/galleries/new"
        reply = await azure.arm(method, path, sent)
        assert (reply.status, reply.code) == (400, "BadRequest")
        assert reply.message.startswith(f"Subscription '{SUB}' is not registered with the feature")
        await azure.sim("PUT", "resources", [{"id": f"{COMPUTE}/galleries/shared", **sent}])
        assert (await azure.arm("PUT", f"{COMPUTE}/galleries/shared", sent)).status == 200
        features = {"id": f"/subscriptions/{SUB}", "_features": ["Microsoft.Compute/SIGSharing"]}
        await azure.sim("PUT", "resources", [features])
        assert (await azure.arm(method, path, sent)).status in (200, 201)
        refused = await azure.sim("PUT", "resources", [{**features, "_features": "all"}])
        assert (refused.status, "_features" in refused.message) == (400, True)

    run_story(story, gallery())


def test_a_community_gallery_has_a_public_name() -> None:
    """It is made of the prefix and a guid, also for a gallery that becomes one; it is not yet enabled."""

    async def story(azure: Azure) -> None:
        community = {"publicNamePrefix": "mine", "eula": "e", "publisherUri": "u", "publisherContact": "c@d.example"}
        sharing: Json = {"sharingProfile": {"permissions": "Community", "communityGalleryInfo": community}}
        for path in (f"{COMPUTE}/galleries/new", GALLERY):
            reply = await azure.arm("PUT", path, {"location": "westeurope", "properties": sharing})
            shown = reply.body["properties"]["sharingProfile"]["communityGalleryInfo"]
            assert shown["communityGalleryEnabled"] is False
            (name,) = shown["publicNames"]
            assert name.startswith("mine-")

    run_story(story, gallery())


def test_sharing_a_gallery_is_an_operation() -> None:
    """202 with both headers and no body; a community gallery is enabled, a reset makes it private."""

    async def story(azure: Azure) -> None:
        sharing = {"permissions": "Community", "communityGalleryInfo": {"publicNamePrefix": "mine"}}
        path = f"{COMPUTE}/galleries/new"
        await made(azure, path, {"sharingProfile": sharing})
        for operation in ("EnableCommunity", "Reset"):
            reply = await azure.arm("POST", f"{path}/share", {"operationType": operation})
            assert (reply.status, reply.body, "Retry-After" in reply.headers) == (202, None, False)
            assert (await azure.finish(reply))["status"] == "Succeeded"
            assert (await azure.arm("GET", reply.headers["Location"])).status == 200
            shown = (await azure.arm("GET", path)).body["properties"]["sharingProfile"]
            if operation == "Reset":
                assert shown == {"permissions": "Private"}
            else:
                assert shown["communityGalleryInfo"]["communityGalleryEnabled"] is True
        refused = await azure.arm("POST", f"{path}/share", {"operationType": "Open"})
        assert (refused.status, refused.code) == (400, "InvalidParameter")

    run_story(story, gallery())
