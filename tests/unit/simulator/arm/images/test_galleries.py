"""Galleries, definitions and versions: capture, replication, order of deletion."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, GALLERY, VERSION1, VM1, Azure, Json, gallery, linux_vm, run_story

DEFINITION = f"{GALLERY}/images/ubuntu"
VERSION2 = f"{DEFINITION}/versions/202602.1.0"


def version(regions: list[str], **storage: object) -> Json:
    publishing = {"targetRegions": [{"name": name} for name in regions]}
    properties = {"publishingProfile": publishing, "storageProfile": storage or {"source": {"virtualMachineId": VM1}}}
    return {"location": "westeurope", "tags": {}, "properties": properties}


def test_a_version_is_captured_from_a_vm_and_spreads_over_its_regions() -> None:
    """201 Creating, always Retry-After 60; the regions complete by the clock; the finished version shows its disks."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PUT", VERSION2, version(["westeurope", "northeurope"]))
        assert (reply.status, reply.headers["Retry-After"]) == (201, "60")
        assert "Location" not in reply.headers
        profile = reply.body["properties"]["publishingProfile"]
        assert [region["name"] for region in profile["targetRegions"]] == ["West Europe", "North Europe"]
        assert reply.body["properties"]["provisioningState"] == "Creating"
        await asyncio.sleep(100)
        busy = (await azure.arm("GET", f"{VERSION2}?$expand=ReplicationStatus")).body["properties"]
        assert busy["replicationStatus"]["aggregatedState"] == "InProgress"
        assert 0 < busy["replicationStatus"]["summary"][0]["progress"] < 100
        poll = await azure.arm("GET", reply.headers["Azure-AsyncOperation"])
        assert poll.headers["Retry-After"] == "60"
        await azure.finish(reply)
        done = (await azure.arm("GET", f"{VERSION2}?$expand=ReplicationStatus")).body["properties"]
        states = [(each["region"], each["state"]) for each in done["replicationStatus"]["summary"]]
        assert states == [("westeurope", "Completed"), ("northeurope", "Completed")]
        assert done["storageProfile"]["osDiskImage"] == {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}}
        assert "replicationStatus" not in (await azure.arm("GET", VERSION2)).body["properties"]

    run_story(story, [*gallery(), linux_vm()])


def test_a_version_whose_update_failed_is_repaired_by_the_next() -> None:
    """A failed update leaves its regions failed; the next one replicates to them again."""
    failing = {"match": {"operation": "versionUpdate"}, "times": 1, "fail": {"code": "InternalError", "message": "no"}}

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("PUT", VERSION2, version(["westeurope"])))
        azure.simulator.services.faults.add([failing])
        for aggregated in ("Failed", "Completed"):
            await azure.finish(await azure.arm("PUT", VERSION2, version(["westeurope"])))
            shown = (await azure.arm("GET", f"{VERSION2}?$expand=ReplicationStatus")).body["properties"]
            assert shown["replicationStatus"]["aggregatedState"] == aggregated

    run_story(story, [*gallery(), linux_vm()])


def test_no_disk_comes_from_an_unfinished_version() -> None:
    """A disk is refused while the version is Creating, and in a region without a replica."""
    reference = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION2}}
    body = {"location": "westeurope", "properties": {"creationData": reference}}

    async def story(azure: Azure) -> None:
        made = await azure.arm("PUT", VERSION2, version(["westeurope"]))
        assert (await azure.arm("PUT", f"{COMPUTE}/disks/d", body)).status == 409
        await azure.finish(made)
        assert (await azure.arm("PUT", f"{COMPUTE}/disks/d", body)).status == 202
        updated = await azure.arm("PUT", VERSION2, version(["westeurope", "northeurope"]))
        assert (updated.status, updated.body["properties"]["provisioningState"]) == (200, "Updating")
        assert (await azure.arm("PUT", f"{COMPUTE}/disks/d2", body)).status == 202
        elsewhere = body | {"location": "northeurope"}
        assert (await azure.arm("PUT", f"{COMPUTE}/disks/d3", elsewhere)).status == 409
        await azure.finish(updated)
        assert (await azure.arm("PUT", f"{COMPUTE}/disks/d3", elsewhere)).status == 202

    run_story(story, [*gallery(), linux_vm()])


def test_the_newest_definitions_are_trusted_launch_and_take_no_vm() -> None:
    """From api-version 2025-03-03 on, the default security type of a definition excludes a VM as source."""
    body = {"osType": "Linux", "osState": "Specialized", "identifier": {"publisher": "p", "offer": "o", "sku": "s"}}

    async def story(azure: Azure) -> None:
        path = f"{GALLERY}/images/new"
        made = await azure.arm("PUT", f"{path}?api-version=2025-03-03", {"location": "westeurope", "properties": body})
        await azure.finish(made)
        features = made.body["properties"]["features"]
        assert features == [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
        reply = await azure.arm("PUT", f"{path}/versions/1.0.0", version(["westeurope"]))
        assert (reply.status, reply.code) == (400, "InvalidParameter")
        assert "'TrustedLaunchSupported' is not supported for the source id" in reply.message

    run_story(story, [*gallery(), linux_vm()])


REFUSALS: dict[str, tuple[str, Json, int, str]] = {
    "no definition": (f"{GALLERY}/images/none/versions/1.0.0", version(["westeurope"]), 404, "ParentResourceNotFound"),
    "a name that is no version": (f"{DEFINITION}/versions/1.0", version(["westeurope"]), 400, "InvalidParameter"),
    "a part beyond 32 bits": (
        f"{DEFINITION}/versions/1.0.2147483648",
        version(["westeurope"]),
        400,
        "InvalidParameter",
    ),
    "not its own region": (VERSION2, version(["northeurope"]), 400, "InvalidParameter"),
    "no source": (VERSION2, version(["westeurope"], source={}), 400, "InvalidParameter"),
    "no such source": (VERSION2, version(["westeurope"], source={"id": VM1 + "9"}), 404, "ResourceNotFound"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_version_azure_would_not_make_is_refused(case: str) -> None:
    """Status and code are Azure's; no version is made."""
    path, body, status, code = REFUSALS[case]

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PUT", path, body)
        assert (reply.status, reply.code) == (status, code)
        assert (await azure.arm("GET", path)).status == 404

    run_story(story, [*gallery(), linux_vm()])


def test_the_os_state_of_source_and_definition_must_agree() -> None:
    """A generalized VM is refused as source for a specialized definition."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PUT", VERSION2, version(["westeurope"]))
        assert (reply.status, reply.code) == (400, "InvalidParameter")
        assert (
            "different OS state ['Generalized'] than the parent gallery image OS state ['Specialized']" in reply.message
        )

    run_story(story, [*gallery(), linux_vm(_power="deallocated", _generalized=True)])


def test_parents_are_deleted_after_their_children() -> None:
    """The delete of a gallery or definition is refused while it has nested resources."""

    async def story(azure: Azure) -> None:
        for path in (GALLERY, DEFINITION):
            reply = await azure.arm("DELETE", path)
            assert (reply.status, reply.code) == (409, "CannotDeleteResource")
        for path in (VERSION1, DEFINITION, GALLERY):
            await azure.finish(await azure.arm("DELETE", path))
            assert (await azure.arm("GET", path)).status == 404

    run_story(story, gallery())


def test_versions_are_listed_below_their_definition() -> None:
    """A nested collection has only the children of its parent."""

    async def story(azure: Azure) -> None:
        names = [each["name"] for each in (await azure.arm("GET", f"{DEFINITION}/versions")).body["value"]]
        assert names == ["202601.1.0"]
        assert [each["name"] for each in (await azure.arm("GET", f"{GALLERY}/images")).body["value"]] == ["ubuntu"]
        assert (await azure.arm("GET", f"{GALLERY}/images/none/versions")).status == 404

    run_story(story, gallery())
