"""VM sizes: the SKU list, and the disks and images that a size does not support."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, SUB, VM1, Azure, Json, free_disk, linux_vm, run_story

SKUS = f"/subscriptions/{SUB}/providers/Microsoft.Compute/skus"


def sized(size: str, disk: Json | None = None, **more: Any) -> list[Json]:
    """A deallocated vm1 of a size with its own disk."""
    os_disk = {"name": "old", "osType": "Linux", "managedDisk": {"id": f"{COMPUTE}/disks/old"}}
    properties = {"hardwareProfile": {"vmSize": size}, "storageProfile": {"osDisk": os_disk}, **more}
    return [disk or free_disk("old"), linux_vm(_power="deallocated", properties=properties)]


def test_the_sku_list_has_the_capabilities_of_a_size() -> None:
    """The list of a location has the capabilities that preflight reads and the restrictions of the subscription."""

    async def story(azure: Azure) -> None:
        listed = (await azure.arm("GET", f"{SKUS}?$filter=location eq 'West Europe'")).body["value"]
        sizes = {each["name"]: each for each in listed}
        assert len(sizes) >= 10
        assert all(each["locations"] == ["westeurope"] for each in listed)
        can = {each["name"]: each["value"] for each in sizes["Standard_D2ps_v5"]["capabilities"]}
        assert (can["CpuArchitectureType"], can["HyperVGenerations"], can["PremiumIO"]) == ("Arm64", "V2", "True")
        assert {"vCPUs", "DiskControllerTypes", "EphemeralOSDiskSupported"} <= can.keys()
        (restriction,) = sizes["Standard_NC24ads_A100_v4"]["restrictions"]
        assert restriction["reasonCode"] == "NotAvailableForSubscription"
        refused = await azure.arm("GET", f"{SKUS}?$filter=name eq 'x'")
        assert refused.code == "InvalidFilterInQueryString"

    run_story(story, [linux_vm()])


def test_the_sku_list_has_pages() -> None:
    """The SDK's paging returns the sizes of every region exactly once."""

    async def story(azure: Azure) -> None:
        seen = [(sku.name, sku.locations[0]) async for sku in azure.compute.resource_skus.list() if sku.locations]
        assert len(seen) == len(set(seen)) > 400

    run_story(story, [linux_vm()])


SWAPS: dict[str, tuple[list[Json], Json, tuple[int, str, str]]] = {
    "a premium disk on a size without premium storage": (
        sized("Standard_D2_v5", free_disk("old", sku={"name": "Standard_LRS"})),
        free_disk("next", sku={"name": "Premium_LRS"}),
        (400, "InvalidParameter", "does not support the storage account type Premium_LRS of disk 'next'"),
    ),
    "an Arm disk on an x64 size": (
        sized("Standard_D2s_v5"),
        free_disk("next", {"supportedCapabilities": {"architecture": "Arm64"}}),
        (409, "PropertyChangeNotAllowed", "CPU Architecture property 'Arm64' for the VM size 'Standard_D2s_v5'"),
    ),
    "a SCSI disk on an NVMe VM": (
        sized("Standard_D2s_v6", storageProfile={"diskControllerType": "NVMe"}),
        free_disk("next"),
        (409, "PropertyChangeNotAllowed", "Disk Controller Type property 'NVMe'"),
    ),
    "a disk of another encryption set": (
        sized("Standard_D2s_v5"),
        free_disk("next", {"encryption": {"diskEncryptionSetId": f"{COMPUTE}/diskEncryptionSets/des"}}),
        (409, "OperationNotAllowed", "disk encryption set"),
    ),
    "a VM with Azure Disk Encryption": (
        sized("Standard_D2s_v5", free_disk("old", {"encryptionSettingsCollection": {"enabled": True}})),
        free_disk("next"),
        (409, "OSDiskSwapNotSupportedForVMsUsingDiskEncryption", "Disk Encryption"),
    ),
    "a trusted launch disk on a confidential VM": (
        sized(
            "Standard_DC2as_v5",
            free_disk(
                "old", {"securityProfile": {"securityType": "ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey"}}
            ),
            securityProfile={"securityType": "ConfidentialVM"},
        ),
        free_disk("next", {"securityProfile": {"securityType": "TrustedLaunch"}}),
        (400, "BadRequest", "Security type"),
    ),
}


@pytest.mark.parametrize("case", SWAPS)
def test_a_swap_azure_refuses_changes_nothing(case: str) -> None:
    """The refusal is Azure's; the VM keeps its disk and the other stays unattached."""
    scenario, disk, (status, code, part) = SWAPS[case]
    scenario = [{**body} for body in scenario]
    storage = scenario[1]["properties"]["storageProfile"]
    storage.setdefault("osDisk", {"name": "old", "managedDisk": {"id": f"{COMPUTE}/disks/old"}})

    async def story(azure: Azure) -> None:
        refused = await azure.swap("next")
        assert (refused.status, refused.code) == (status, code), refused.body
        assert part in refused.message
        assert (await azure.vm())["properties"]["storageProfile"]["osDisk"]["name"] == "old"
        assert (await azure.disk("next"))["properties"]["diskState"] == "Unattached"

    run_story(story, [*scenario, disk])


@pytest.mark.parametrize(
    ("size", "code", "part"),
    [
        ("Standard_A2_v2", "BadRequest", "cannot boot Hypervisor Generation '2'"),
        ("Standard_D2_v5", "InvalidParameter", "Premium_LRS"),
        ("Standard_D2ps_v5", "BadRequest", "CPU Architecture"),
    ],
)
def test_a_size_that_does_not_support_the_disks_is_refused(size: str, code: str, part: str) -> None:
    """A resize to an unsuitable size is refused; an unknown size is accepted."""

    async def story(azure: Azure) -> None:
        refused = await azure.arm("PATCH", VM1, {"properties": {"hardwareProfile": {"vmSize": size}}})
        assert (refused.status, refused.code) == (400, code)
        assert part in refused.message
        fine = await azure.arm("PATCH", VM1, {"properties": {"hardwareProfile": {"vmSize": "Standard_X1"}}})
        assert fine.status == 200

    run_story(story, sized("Standard_D2s_v5"))


def test_a_vm_of_a_restricted_size_is_refused() -> None:
    """The PUT gives 409 SkuNotAvailable and makes no VM."""
    image = {"publisher": "Canonical", "offer": "ubuntu", "sku": "server-gen2", "version": "latest"}
    properties = {
        "hardwareProfile": {"vmSize": "Standard_NC24ads_A100_v4"},
        "storageProfile": {"imageReference": image},
    }

    async def story(azure: Azure) -> None:
        body = {"location": "westeurope", "properties": properties}
        refused = await azure.arm("PUT", f"{COMPUTE}/virtualMachines/made", body)
        assert (refused.status, refused.code) == (409, "SkuNotAvailable")
        assert (await azure.arm("GET", f"{COMPUTE}/virtualMachines/made")).status == 404

    run_story(story, [linux_vm()])


def test_a_vm_of_a_scale_set_stays_in_it() -> None:
    """A PUT without the scale set keeps it."""
    scale_set = {"id": f"{COMPUTE}/virtualMachineScaleSets/flex"}

    async def story(azure: Azure) -> None:
        model = await azure.vm()
        del model["properties"]["virtualMachineScaleSet"]
        model["properties"]["licenseType"] = "None"
        await azure.finish(await azure.arm("PUT", VM1, model))
        assert (await azure.vm())["properties"]["virtualMachineScaleSet"] == scale_set

    run_story(story, [linux_vm(properties={"virtualMachineScaleSet": scale_set})])
