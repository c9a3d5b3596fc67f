"""Hibernation: what a VM with it requires of its OS disk, image, size and place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.arm.azure import (
    COMPUTE,
    GALLERY,
    VERSION1,
    VM1,
    Azure,
    Json,
    free_disk,
    gallery,
    linux_vm,
    run_story,
)

HIBERNATES: Json = {"supportsHibernation": True}
ENABLED: Json = {"additionalCapabilities": {"hibernationEnabled": True}}
UBUNTU: Json = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
DEBIAN: Json = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}


def vm_with_disk(*, enabled: bool = True, power: str = "deallocated") -> Json:
    """vm1 with its own disk `old`."""
    storage = {"storageProfile": {"osDisk": {"name": "old", "managedDisk": {"id": f"{COMPUTE}/disks/old"}}}}
    size = {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}}
    return linux_vm(_power=power, properties={**size, **storage, **(ENABLED if enabled else {})})


def new_vm(storage: Json, size: str = "Standard_D2s_v5", **more: Any) -> Json:
    properties = {"hardwareProfile": {"vmSize": size}, "storageProfile": storage, **ENABLED, **more}
    return {"location": "westeurope", "properties": properties}


def attached(name: str) -> Json:
    disk = {"id": f"{COMPUTE}/disks/{name}"}
    return {"osDisk": {"name": name, "createOption": "Attach", "osType": "Linux", "managedDisk": disk}}


def features(value: str) -> list[Json]:
    """The gallery; its definition has the feature with that value."""
    bodies = gallery()
    bodies[1]["properties"]["features"] = [{"name": "IsHibernateSupported", "value": value}]
    return bodies


@pytest.mark.parametrize(("value", "expected"), [("True", True), ("true", True), ("False", None)])
def test_a_disk_supports_hibernation_as_its_image_does(value: str, expected: bool | None) -> None:
    """A disk from a version has the definition's feature, and a snapshot and a copy have the disk's."""

    async def story(azure: Azure) -> None:
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION1}}
        body = {"location": "westeurope", "properties": {"creationData": creation}}
        await azure.finish(await azure.arm("PUT", f"{COMPUTE}/disks/made", body))
        made = await azure.disk("made")
        assert made["properties"].get("supportsHibernation") == expected
        creation = {"createOption": "Copy", "sourceResourceId": made["id"]}
        body = {"location": "westeurope", "properties": {"creationData": creation}}
        reply = await azure.arm("PUT", f"{COMPUTE}/snapshots/shot", body)
        await azure.finish(reply)
        shot = (await azure.arm("GET", f"{COMPUTE}/snapshots/shot")).body
        assert shot["properties"].get("supportsHibernation") == expected
        creation = {"createOption": "Copy", "sourceResourceId": shot["id"]}
        await azure.finish(
            await azure.arm("PUT", f"{COMPUTE}/disks/copy", body | {"properties": {"creationData": creation}})
        )
        assert (await azure.disk("copy"))["properties"].get("supportsHibernation") == expected

    run_story(story, features(value))


def test_an_os_disk_without_hibernation_is_refused_until_its_flag_is_set() -> None:
    """The swap is refused, a PATCH of the disk sets the flag, then the swap is accepted."""

    async def story(azure: Azure) -> None:
        refused = await azure.swap("next")
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        assert (
            refused.message == "The referenced os disk should support hibernation for a VM with hibernation capability."
        )
        assert (await azure.vm())["properties"]["storageProfile"]["osDisk"]["name"] == "old"
        await azure.finish(await azure.arm("PATCH", f"{COMPUTE}/disks/next", {"properties": HIBERNATES}))
        assert (await azure.finish(await azure.swap("next")))["status"] == "Succeeded"

    run_story(story, [vm_with_disk(), free_disk("old", HIBERNATES), free_disk("next")])


def test_a_vm_without_hibernation_takes_any_disk() -> None:
    """The flag of a disk does not matter there."""

    async def story(azure: Azure) -> None:
        assert (await azure.swap("next")).status == 200

    run_story(story, [vm_with_disk(enabled=False), free_disk("old", HIBERNATES), free_disk("next")])


def test_an_os_disk_smaller_than_the_memory_is_refused() -> None:
    """A hibernated VM keeps its memory on the OS disk."""

    async def story(azure: Azure) -> None:
        refused = await azure.swap("next")
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        assert (
            "OS Disk Size (4294967296 bytes) should at least be greater than the VM memory (8589934592"
            in refused.message
        )

    run_story(story, [vm_with_disk(), free_disk("old", HIBERNATES), free_disk("next", {**HIBERNATES, "diskSizeGB": 4})])


NEW: dict[str, tuple[Json, str]] = {
    "a disk": (new_vm(attached("plain")), "referenced os disk should support"),
    "a gallery image": (new_vm({"imageReference": {"id": VERSION1}}), "referenced shared gallery image should support"),
    "a platform image": (new_vm({"imageReference": DEBIAN}), "referenced platform image should support"),
    "a size": (new_vm({"imageReference": UBUNTU}, "Standard_B2ms"), "size 'Standard_B2ms' isn't supported"),
    "a spot VM": (new_vm({"imageReference": UBUNTU}, priority="Spot"), "isn't supported for Spot VMs"),
    "an availability set": (
        new_vm({"imageReference": UBUNTU}, availabilitySet={"id": f"{COMPUTE}/availabilitySets/set"}),
        "created in an Availability Set",
    ),
    "a managed image": (new_vm({"imageReference": {"id": f"{COMPUTE}/images/img"}}), "User VM Image isn't supported"),
    "a small disk": (
        new_vm({"imageReference": UBUNTU, "osDisk": {"diskSizeGB": 30}}, "Standard_E4s_v5"),
        "should at least be greater than the VM memory",
    ),
}


@pytest.mark.parametrize("case", NEW)
def test_a_new_vm_that_could_not_hibernate_is_refused(case: str) -> None:
    """409 with the documented message; no VM is made."""
    body, part = NEW[case]

    async def story(azure: Azure) -> None:
        refused = await azure.arm("PUT", VM1, body)
        assert (refused.status, refused.code) == (409, "OperationNotAllowed"), refused.body
        assert part in refused.message
        assert (await azure.arm("GET", VM1)).status == 404

    image = {"id": f"{COMPUTE}/images/img", "location": "westeurope"}
    run_story(story, [*gallery(), free_disk("plain"), image])


@pytest.mark.parametrize(
    "storage",
    [attached("ready"), {"imageReference": {"id": VERSION1}}, {"imageReference": UBUNTU}],
    ids=["disk", "version", "platform image"],
)
def test_a_new_vm_that_can_hibernate_is_made(storage: Json) -> None:
    """Its OS disk supports hibernation."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("PUT", VM1, new_vm(storage)))
        name = (await azure.vm())["properties"]["storageProfile"]["osDisk"]["name"]
        assert (await azure.disk(name))["properties"]["supportsHibernation"] is True

    run_story(story, [*features("True"), free_disk("ready", HIBERNATES)])


def test_hibernation_is_enabled_on_a_deallocated_vm_with_a_fitting_disk() -> None:
    """Not on a running VM and not with another disk; then not on a size that cannot hibernate."""

    async def story(azure: Azure) -> None:
        enable = {"properties": ENABLED}
        running = await azure.arm("PATCH", VM1, enable)
        assert (running.status, running.code) == (409, "OperationNotAllowed")
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        refused = await azure.arm("PATCH", VM1, enable)
        assert "referenced os disk" in refused.message
        await azure.finish(await azure.arm("PATCH", f"{COMPUTE}/disks/old", {"properties": HIBERNATES}))
        await azure.finish(await azure.arm("PATCH", VM1, enable))
        resized = await azure.arm("PATCH", VM1, {"properties": {"hardwareProfile": {"vmSize": "Standard_B2ms"}}})
        assert (resized.status, resized.code) == (409, "OperationNotAllowed")

    run_story(story, [vm_with_disk(enabled=False, power="running"), free_disk("old")])


def test_the_disk_of_a_hibernated_vm_cannot_be_modified() -> None:
    """Its tags can."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate?hibernate=true"))
        refused = await azure.arm("PATCH", f"{COMPUTE}/disks/old", {"properties": {"diskSizeGB": 64}})
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        await azure.finish(await azure.arm("PATCH", f"{COMPUTE}/disks/old", {"tags": {"team": "a"}}))
        assert (await azure.disk("old"))["tags"] == {"team": "a"}

    run_story(story, [vm_with_disk(power="running"), free_disk("old", HIBERNATES)])


def test_a_vm_that_cannot_hibernate_is_refused_with_the_cause() -> None:
    """Without the capability, and while it does not run."""

    async def story(azure: Azure) -> None:
        refused = await azure.arm("POST", f"{VM1}/deallocate?hibernate=true")
        assert "can only be triggered on a VM that is enabled for hibernation" in refused.message
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        await azure.finish(await azure.arm("PATCH", VM1, {"properties": ENABLED}))
        refused = await azure.arm("POST", f"{VM1}/deallocate?hibernate=true")
        assert (refused.code, "successfully provisioned and is running" in refused.message) == (
            "OperationNotAllowed",
            True,
        )

    run_story(story, [vm_with_disk(enabled=False, power="running"), free_disk("old", HIBERNATES)])


def test_a_definition_shows_its_features() -> None:
    """The feature is in the definition as written."""

    async def story(azure: Azure) -> None:
        shown = (await azure.arm("GET", f"{GALLERY}/images/ubuntu")).body["properties"]["features"]
        assert shown == [{"name": "IsHibernateSupported", "value": "True"}]

    run_story(story, features("True"))
