"""The disks of a VM's host: the SKU list names them, and a VM that leaves its host loses what is on them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, SUB, VM1, Azure, Json, free_disk, linux_vm, run_story

SKUS = f"/subscriptions/{SUB}/providers/Microsoft.Compute/skus?$filter=location eq 'westeurope'"
KEPT, LOST = "two million rows", None


def sized(size: str, **more: Any) -> Json:
    return linux_vm(properties={"hardwareProfile": {"vmSize": size}}, **more)


async def local_disks(azure: Azure) -> Any:
    (guest,) = (await azure.sim("GET", "guests")).body
    return guest["localDisks"]


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ("Standard_D2s_v5", {"MaxResourceVolumeMB": "0"}),
        ("Standard_D2ds_v5", {"MaxResourceVolumeMB": "76800"}),
        (
            "Standard_L8s_v3",
            {"MaxResourceVolumeMB": "81920", "NvmeDiskSizeInMiB": "1831054", "NvmeSizePerDiskInMiB": "1831054"},
        ),
        (
            "Standard_L8s_v4",
            {"MaxResourceVolumeMB": "0", "NvmeDiskSizeInMiB": "1830912", "NvmeSizePerDiskInMiB": "457728"},
        ),
    ],
)
def test_the_sku_list_has_the_disks_of_the_host(size: str, shown: dict[str, str]) -> None:
    """Every size has a temporary disk's size; only sizes with local NVMe disks have those capabilities."""

    async def story(azure: Azure) -> None:
        listed = {each["name"]: each for each in (await azure.arm("GET", SKUS)).body["value"]}
        can = {each["name"]: each["value"] for each in listed[size]["capabilities"]}
        assert {name: value for name, value in can.items() if "Nvme" in name or "Resource" in name} == shown

    run_story(story, [linux_vm()])


@pytest.mark.parametrize("size", ["Standard_D2ds_v5", "Standard_L8s_v3", "Standard_X1"])
@pytest.mark.parametrize(
    ("request_path", "data"),
    [
        ("powerOff", KEPT),
        ("restart", KEPT),
        ("reapply", KEPT),
        ("deallocate", LOST),
        ("redeploy", LOST),
    ],
)
def test_a_vm_that_leaves_its_host_loses_its_local_disks(size: str, request_path: str, data: str | None) -> None:
    """A deallocated or redeployed VM has lost them; a stop that keeps the host keeps them."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("POST", f"{VM1}/{request_path}"))
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        seen = await local_disks(azure)
        assert seen["data"] == data
        assert [loss["operation"] for loss in seen["lost"]] == ([] if data else [request_path])
        (vm,) = (await azure.sim("GET", f"resources?id={VM1}")).body
        assert vm.get("_local_data") == data

    run_story(story, [sized(size, _local_data=KEPT)])


def test_a_failed_deallocate_keeps_the_local_disks() -> None:
    """The VM that could not be deallocated still has its host."""

    async def story(azure: Azure) -> None:
        fails = {"match": {"operation": "deallocate"}, "fail": {"code": "InternalExecutionError", "message": "no"}}
        await azure.sim("POST", "faults", [fails])
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/deallocate")))["status"] == "Failed"
        assert (await local_disks(azure))["data"] == KEPT

    run_story(story, [sized("Standard_L8s_v3", _local_data=KEPT)])


def test_hibernation_and_a_new_size_empty_the_temporary_disk_and_a_swap_does_not() -> None:
    """Memory is kept in a hibernated VM, the temporary disk is not; a swap on a running VM restarts it where it is."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.swap("next"))
        assert (await local_disks(azure))["data"] == KEPT
        size = {"properties": {"hardwareProfile": {"vmSize": "Standard_D4ds_v5"}}}
        await azure.finish(await azure.arm("PATCH", VM1, size))
        assert [loss["operation"] for loss in (await local_disks(azure))["lost"]] == ["resize"]
        await azure.sim("PUT", "resources", [{"id": VM1, "_local_data": "more rows"}])
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate?hibernate=true"))
        seen = await local_disks(azure)
        assert (seen["data"], seen["lost"][-1]["operation"]) == (None, "hibernate")

    vm = sized("Standard_D2ds_v5", _local_data=KEPT)
    vm["properties"]["additionalCapabilities"] = {"hibernationEnabled": True}
    vm["properties"]["storageProfile"] = {"osDisk": {"name": "old", "managedDisk": {"id": f"{COMPUTE}/disks/old"}}}
    run_story(story, [vm, *(free_disk(name, {"supportsHibernation": True}) for name in ("old", "next"))])


@pytest.mark.parametrize(
    "change", [{"_local_data": 7}, {"_local_data": "x", "_power": "deallocated"}, {"_local_data": "x"}]
)
def test_local_data_needs_a_disk_of_the_host(change: Json) -> None:
    """A size without such a disk, a VM without a host and another type of value are errors of the scenario."""

    async def story(azure: Azure) -> None:
        size = "Standard_D2s_v5" if len(change) == 1 else "Standard_D2ds_v5"
        body = {"id": VM1, "properties": {"hardwareProfile": {"vmSize": size}}, **change}
        refused = await azure.sim("PUT", "resources", [body])
        assert refused.status == 400
        assert "_local_data" in str(refused.body)

    run_story(story, [linux_vm()])
