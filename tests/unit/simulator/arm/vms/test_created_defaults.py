"""A VM made over ARM: what its first answer shows, and the defaults that Azure adds."""

from __future__ import annotations

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, Azure, Json, free_disk, linux_vm, run_story

NEW = f"{COMPUTE}/virtualMachines/new?api-version=2024-07-01"
UBUNTU = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
WINDOWS = {
    "publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2", "version": "latest"
}  # fmt: skip
PATCHING = {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"}


def body(image: Json, profile: Json, **storage: object) -> Json:
    profile = {"computerName": "new", "adminUsername": "someone", "adminPassword": "P", **profile}
    disks: Json = {"imageReference": image, "osDisk": {"createOption": "FromImage"}, **storage}
    return {"location": "westeurope", "properties": {"osProfile": profile, "storageProfile": disks}}


@pytest.mark.parametrize(
    ("image", "sent", "added"),
    [
        (
            UBUNTU,
            {},
            {
                "linuxConfiguration": {
                    "disablePasswordAuthentication": False,
                    "provisionVMAgent": True,
                    "patchSettings": PATCHING,
                },
            },
        ),
        (
            UBUNTU,
            {"linuxConfiguration": {"provisionVMAgent": False, "patchSettings": {"patchMode": "AutomaticByPlatform"}}},
            {
                "linuxConfiguration": {
                    "disablePasswordAuthentication": False,
                    "provisionVMAgent": False,
                    "patchSettings": {**PATCHING, "patchMode": "AutomaticByPlatform"},
                },
                "allowExtensionOperations": False,
            },
        ),
        (
            WINDOWS,
            {},
            {
                "windowsConfiguration": {
                    "provisionVMAgent": True,
                    "enableAutomaticUpdates": True,
                    "patchSettings": {**PATCHING, "patchMode": "AutomaticByOS"},
                },
            },
        ),
        (
            WINDOWS,
            {"windowsConfiguration": {"enableAutomaticUpdates": False}, "requireGuestProvisionSignal": False},
            {
                "windowsConfiguration": {
                    "provisionVMAgent": True,
                    "enableAutomaticUpdates": False,
                    "patchSettings": {**PATCHING, "patchMode": "Manual"},
                },
                "requireGuestProvisionSignal": False,
            },
        ),
    ],
)
def test_the_os_profile_gets_azures_defaults(image: Json, sent: Json, added: Json) -> None:
    """Agent, updates, secrets, extensions and the provisioning signal; what the request says stays; no password."""

    async def story(azure: Azure) -> None:
        first = await azure.arm("PUT", NEW, body(image, sent))
        assert first.status == 201
        usual = {"secrets": [], "allowExtensionOperations": True, "requireGuestProvisionSignal": True}
        names = {"computerName": "new", "adminUsername": "someone"}
        assert first.body["properties"]["osProfile"] == {**names, **usual, **added}
        await azure.finish(first)
        assert (await azure.vm("new"))["properties"]["osProfile"] == first.body["properties"]["osProfile"]

    run_story(story, [linux_vm()])


def test_a_vm_of_a_scenario_has_the_same_defaults() -> None:
    """A scenario does not have to contain them."""

    async def story(azure: Azure) -> None:
        profile = (await azure.vm())["properties"]["osProfile"]
        assert profile["linuxConfiguration"]["patchSettings"] == PATCHING
        assert profile["requireGuestProvisionSignal"] is True

    run_story(story, [linux_vm()])


def test_the_first_answer_shows_no_disk_that_does_not_exist_yet() -> None:
    """New disks have neither id nor a made-up name or size; the image has its exact version."""

    async def story(azure: Azure) -> None:
        data = [
            {"lun": 0, "createOption": "Attach", "managedDisk": {"id": f"{COMPUTE}/disks/data"}},
            {"lun": 1, "createOption": "Empty", "diskSizeGB": 8, "managedDisk": {"storageAccountType": "Standard_LRS"}},
        ]
        first = await azure.arm("PUT", NEW, body(UBUNTU, {}, dataDisks=data))
        storage = first.body["properties"]["storageProfile"]
        assert storage["imageReference"]["exactVersion"] == "24.04.202511040"
        os_disk = {"osType": "Linux", "createOption": "FromImage", "caching": "ReadWrite", "deleteOption": "Detach"}
        assert storage["osDisk"] == {**os_disk, "managedDisk": {"storageAccountType": "Premium_LRS"}}
        attached, made = storage["dataDisks"]
        assert (attached["name"], attached["diskSizeGB"]) == ("data", 30)
        assert made == {
            **data[1], "caching": "None", "deleteOption": "Detach", "toBeDetached": False
        }  # fmt: skip
        await azure.finish(first)
        storage = (await azure.vm("new"))["properties"]["storageProfile"]
        assert storage["osDisk"]["managedDisk"]["id"].startswith(f"{COMPUTE}/disks/new_OsDisk_1_")
        assert storage["dataDisks"][1]["managedDisk"]["id"] == f"{COMPUTE}/disks/new_disk3"

    run_story(story, [linux_vm(), free_disk("data")])


def test_an_image_with_data_disks_gives_them_to_the_vm() -> None:
    """Each lun that the request does not name, also in the first answer, which has sizes from the image."""
    disks = [{"lun": 0, "diskSizeGB": 16, "caching": "ReadOnly"}, {"lun": 3, "diskSizeGB": 64}]
    image = {
        "id": f"{COMPUTE}/images/i",
        "location": "westeurope",
        "properties": {"storageProfile": {"dataDisks": disks}},
    }

    async def story(azure: Azure) -> None:
        own = [{"lun": 3, "createOption": "Empty", "diskSizeGB": 8}]
        first = await azure.arm("PUT", NEW, body({"id": image["id"]}, {}, dataDisks=own))
        shown = first.body["properties"]["storageProfile"]["dataDisks"]
        assert {(each["lun"], each["createOption"], each["diskSizeGB"]) for each in shown} == {
            (0, "FromImage", 16),
            (3, "Empty", 8),
        }
        await azure.finish(first)
        block = (await azure.vm("new"))["properties"]["storageProfile"]["dataDisks"][-1]
        made = (await azure.disk(block["name"]))["properties"]
        assert made["creationData"]["createOption"] == "FromImage"
        assert made["diskSizeGB"] == 16

    run_story(story, [linux_vm(), image])


def test_older_api_versions_show_fewer_defaults() -> None:
    """What Azure added later is not in their answers; the VM itself is the same."""

    async def story(azure: Azure) -> None:
        path = f"{COMPUTE}/virtualMachines/vm1?api-version="
        old = (await azure.arm("GET", f"{path}2018-06-01")).body["properties"]
        assert not {"requireGuestProvisionSignal"} & old["osProfile"].keys()
        assert not {"patchSettings"} & old["osProfile"]["linuxConfiguration"].keys()
        assert "exactVersion" not in old["storageProfile"]["imageReference"]
        assert "deleteOption" not in old["storageProfile"]["osDisk"]
        assert "timeCreated" not in old
        new = (await azure.arm("GET", f"{path}2024-07-01")).body["properties"]
        assert new["osProfile"]["linuxConfiguration"]["patchSettings"] == PATCHING
        assert new["timeCreated"]

    run_story(story, [linux_vm()])
