"""An OS disk swap from start to end with the real SDK."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.mgmt.compute.models import ManagedDiskParameters, OSDisk, StorageProfile, VirtualMachineUpdate

from tests.unit.simulator.arm.azure import COMPUTE, VERSION1, VM1, Azure, free_disk, gallery, linux_vm, run_story

# The SDK flattens `properties` in its models; its type hints do not show that.
make_update: Any = VirtualMachineUpdate


def onto(name: str, **more: Any) -> Any:
    disk = OSDisk(name=name, managed_disk=ManagedDiskParameters(id=f"{COMPUTE}/disks/{name}"), **more)
    return make_update(storage_profile=StorageProfile(os_disk=disk))


async def agent(azure: Azure) -> tuple[str, datetime]:
    """The status of the agent of vm1 and its time, read with the SDK."""
    view = await azure.compute.virtual_machines.instance_view("rg1", "vm1")
    (status,) = view.vm_agent.statuses or [] if view.vm_agent else []
    assert status.time is not None
    return str(status.display_status), status.time


def code_of(error: HttpResponseError) -> str:
    return str(error.error.code) if error.error else ""


def test_a_swap_by_the_real_sdk_ends_with_the_agent_ready_on_the_new_disk() -> None:
    """Disk from a version, deallocate, PATCH, start, then a new Ready; the old disk is unattached."""

    async def story(azure: Azure) -> None:
        vms, disks = azure.compute.virtual_machines, azure.compute.disks
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION1}}
        body: Any = {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "properties": {"creationData": creation}}
        made = await (await disks.begin_create_or_update("rg1", "new", body)).result()
        assert (made.disk_state, made.os_type, made.hyper_v_generation) == ("Unattached", "Linux", "V2")
        old = (await vms.get("rg1", "vm1")).storage_profile.os_disk.name

        await (await vms.begin_deallocate("rg1", "vm1")).result()
        assert (await disks.get("rg1", old)).disk_state == "Reserved"
        view = await vms.instance_view("rg1", "vm1")
        assert view.vm_agent is None
        swapped = await (await vms.begin_update("rg1", "vm1", onto("new", create_option="FromImage"))).result()
        assert swapped.storage_profile.os_disk.name == "new"
        assert swapped.storage_profile.image_reference is not None
        begun = azure.clock.now()
        await (await vms.begin_start("rg1", "vm1")).result()

        display, _ = await agent(azure)
        assert display == "Not Ready"
        await asyncio.sleep(70)
        display, reported = await agent(azure)
        assert display == "Ready"
        assert reported > begun
        freed, new = await disks.get("rg1", old), await disks.get("rg1", "new")
        assert (freed.disk_state, freed.managed_by) == ("Unattached", None)
        assert (new.disk_state, new.managed_by) == ("Attached", VM1)
        assert new.last_ownership_update_time is not None

    run_story(story, [*gallery(), linux_vm()])


def test_the_journal_counts_from_the_accepted_stop_until_the_vm_runs() -> None:
    """Downtime begins with the accepted deallocate and ends with PowerState/running, not with the agent's report."""

    async def story(azure: Azure) -> None:
        stopped_at = azure.clock.time()
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        await azure.finish(await azure.swap("free"))
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        took_s = azure.clock.time() - stopped_at
        (down,) = (await azure.sim("GET", "journal")).body["vms"].values()
        assert down["stops"] == 1
        assert took_s - 1.5 < down["not_running_s"] < took_s
        start, end = map(datetime.fromisoformat, down["intervals"][0])
        assert (end - start).total_seconds() == pytest.approx(down["not_running_s"])

    run_story(story, [linux_vm(), free_disk("free")])


def test_after_a_power_off_the_agent_still_shows_the_report_from_before() -> None:
    """A VM that keeps its host keeps the old Ready; only the time of the report shows that it is old."""

    async def story(azure: Azure) -> None:
        await asyncio.sleep(100)
        await azure.finish(await azure.arm("POST", f"{VM1}/powerOff"))
        started = azure.clock.now()
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        stale = (await azure.vm())["properties"]["instanceView"]["vmAgent"]["statuses"][0]
        assert stale["displayStatus"] == "Ready"
        assert datetime.fromisoformat(stale["time"]) < started
        await asyncio.sleep(70)
        fresh = (await azure.vm())["properties"]["instanceView"]["vmAgent"]["statuses"][0]
        assert datetime.fromisoformat(fresh["time"]) > started

    run_story(story, [linux_vm()])


def test_a_disk_that_does_not_boot_runs_and_never_reports() -> None:
    """The power state is running and the agent stays Not Ready."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"disk": "bad*", "boots": False}])
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        await azure.finish(await azure.swap("bad-disk"))
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        await asyncio.sleep(3600)
        view = (await azure.vm())["properties"]["instanceView"]
        assert view["statuses"][-1]["code"] == "PowerState/running"
        assert view["vmAgent"]["statuses"][0]["displayStatus"] == "Not Ready"

    run_story(story, [linux_vm(), free_disk("bad-disk")])


def test_a_vm_without_an_agent_never_shows_one() -> None:
    """`_agent: false` stays through a restart."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("POST", f"{VM1}/restart"))
        await asyncio.sleep(600)
        assert "vmAgent" not in (await azure.vm())["properties"]["instanceView"]

    run_story(story, [linux_vm(_agent=False)])


def test_a_swap_on_a_running_vm_reboots_it() -> None:
    """The swap is accepted; the VM is down for a while and then runs on the new disk."""

    async def story(azure: Azure) -> None:
        reply = await azure.swap("free")
        assert await azure.power() == "PowerState/starting"
        await azure.finish(reply)
        assert await azure.power() == "PowerState/running"
        (down,) = (await azure.sim("GET", "journal")).body["vms"].values()
        assert down["stops"] == 1
        assert (await azure.disk("free"))["properties"]["diskState"] == "Attached"

    run_story(story, [linux_vm(), free_disk("free")])


def test_the_cli_s_whole_put_swaps_and_keeps_the_image_reference() -> None:
    """A PUT without imageReference, with the old disk's SKU and size, changes only the disk."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("POST", f"{VM1}/powerOff"))
        before = (await azure.arm("GET", VM1)).body
        body = {key: value for key, value in before.items() if key not in ("etag", "id", "name", "type")}
        storage = body["properties"]["storageProfile"]
        reference = storage.pop("imageReference")
        storage["osDisk"] |= {"name": "free"}
        storage["osDisk"]["managedDisk"] |= {"id": f"{COMPUTE}/disks/free"}
        reply = await azure.arm("PUT", VM1, body)
        assert (reply.status, reply.body["properties"]["provisioningState"]) == (200, "Updating")
        assert "Location" not in reply.headers
        await azure.finish(reply)
        after = (await azure.arm("GET", VM1)).body["properties"]
        assert after["storageProfile"]["imageReference"] == reference
        assert after["storageProfile"]["osDisk"]["managedDisk"]["storageAccountType"] == "StandardSSD_LRS"
        assert after["storageProfile"]["osDisk"]["diskSizeGB"] == 64
        assert after["vmId"] == before["properties"]["vmId"]

    run_story(story, [linux_vm(), free_disk("free", {"diskSizeGB": 64}, sku={"name": "StandardSSD_LRS"})])


@pytest.mark.parametrize("size_gb", [16, 128])
def test_a_disk_of_another_size_is_accepted(size_gb: int) -> None:
    """A PATCH without a size accepts a smaller and a larger disk, and the VM shows its size."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("POST", f"{VM1}/powerOff"))
        reply = await azure.swap("free")
        assert reply.status == 200, reply.body
        await azure.finish(reply)
        after = (await azure.arm("GET", VM1)).body["properties"]["storageProfile"]["osDisk"]
        assert (after["name"], after["diskSizeGB"]) == ("free", size_gb)

    run_story(story, [linux_vm(), free_disk("free", {"diskSizeGB": size_gb})])


OTHER: dict[str, Any] = {"managedBy": f"{COMPUTE}/virtualMachines/vm2"}
REFUSALS = {
    "another generation": (free_disk("d", {"hyperVGeneration": "V1"}), 409, "PropertyChangeNotAllowed", "HyperVisor"),
    "another system": (free_disk("d", {"osType": "Windows"}), 409, "PropertyChangeNotAllowed", "osType"),
    "another VM's disk": (free_disk("d", None, **OTHER), 409, "ConflictingUserInput", "already attached to VM"),
    "another zone": (free_disk("d", zones=["2"]), 400, "BadRequest", "VM zone: '1'. Disk zone: '2'"),
    "no zone": (free_disk("d"), 400, "BadRequest", "not in zone '1'"),
    "another region": (free_disk("d", location="northeurope"), 400, "BadRequest", "same location"),
    "another controller": (
        free_disk("d", {"supportedCapabilities": {"diskControllerTypes": "NVMe", "architecture": "x64"}}, zones=["1"]),
        409,
        "PropertyChangeNotAllowed",
        "'SCSI' is not supported by the OS Disk",
    ),
    "another architecture": (
        free_disk("d", {"supportedCapabilities": {"architecture": "Arm64"}}, zones=["1"]),
        409,
        "PropertyChangeNotAllowed",
        "CPU Architecture",
    ),
    "another security type": (
        free_disk("d", {"securityProfile": {"securityType": "TrustedLaunch"}}, zones=["1"]),
        400,
        "BadRequest",
        "Security type of VM is not compatible",
    ),
    "no disk at all": (free_disk("e"), 404, "ResourceNotFound", "disks/d"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_an_unsuitable_disk_is_refused_with_azures_error(case: str) -> None:
    """Each reason has its own status, code and message, and the VM keeps its disk."""
    disk, status, code, part = REFUSALS[case]
    if case in ("another generation", "another system", "another VM's disk"):
        disk = disk | {"zones": ["1"]}

    async def story(azure: Azure) -> None:
        before = (await azure.vm())["properties"]["storageProfile"]["osDisk"]
        reply = await azure.swap("d")
        assert (reply.status, reply.code) == (status, code)
        assert part in reply.message
        assert (await azure.vm())["properties"]["storageProfile"]["osDisk"] == before

    run_story(story, [linux_vm(zones=["1"], _power="deallocated"), disk])


def test_the_sdk_sees_refusals_as_its_own_exceptions() -> None:
    """409, 404, 412 and a failed operation raise the exceptions that callers catch."""

    async def story(azure: Azure) -> None:
        vms = azure.compute.virtual_machines
        with pytest.raises(ResourceExistsError) as attach:
            await vms.begin_update("rg1", "vm1", onto("free", create_option="Attach"))
        assert code_of(attach.value) == "PropertyChangeNotAllowed"
        with pytest.raises(ResourceNotFoundError):
            await vms.get("rg1", "missing")
        etag = (await vms.get("rg1", "vm1")).etag
        await (await vms.begin_power_off("rg1", "vm1")).result()
        with pytest.raises(ResourceModifiedError):
            await vms.begin_update("rg1", "vm1", onto("free"), etag=etag, match_condition=MatchConditions.IfNotModified)
        error = {"code": "AllocationFailed", "message": "Allocation failed."}
        await azure.sim("POST", "faults", [{"match": {"operation": "start"}, "times": 1, "fail": error}])
        with pytest.raises(HttpResponseError) as allocation:
            await (await vms.begin_start("rg1", "vm1")).result()
        assert code_of(allocation.value) == "AllocationFailed"
        assert await azure.power() == "PowerState/stopped"
        await (await vms.begin_start("rg1", "vm1")).result()

    run_story(story, [linux_vm(), free_disk("free")])


def test_the_name_must_come_with_the_disk() -> None:
    """An id without a new name, and a new name without an id, are refused."""

    async def story(azure: Azure) -> None:
        for os_disk in ({"managedDisk": {"id": f"{COMPUTE}/disks/free"}}, {"name": "free"}):
            reply = await azure.arm("PATCH", VM1, {"properties": {"storageProfile": {"osDisk": os_disk}}})
            assert (reply.status, reply.code) == (409, "PropertyChangeNotAllowed")

    run_story(story, [linux_vm(), free_disk("free")])


def test_two_operations_on_one_vm_never_run_at_once() -> None:
    """A second operation gives Conflict while the first is in progress, and is accepted afterwards."""

    async def story(azure: Azure) -> None:
        first = await azure.arm("POST", f"{VM1}/deallocate")
        second = await azure.arm("POST", f"{VM1}/start")
        assert (second.status, second.code) == (409, "Conflict")
        assert (await azure.swap("free")).code == "Conflict"
        await azure.finish(first)
        assert (await azure.swap("free")).status == 200

    run_story(story, [linux_vm(), free_disk("free")])


def test_a_failed_swap_leaves_the_old_disk() -> None:
    """The operation ends Failed with the fault's error; the VM is Failed and keeps its old disk."""

    async def story(azure: Azure) -> None:
        before = (await azure.vm())["properties"]["storageProfile"]["osDisk"]
        error = {"code": "InternalExecutionError", "message": "An internal execution error occurred."}
        await azure.sim("POST", "faults", [{"match": {"operation": "update"}, "times": 1, "fail": error}])
        status = await azure.finish(await azure.swap("free"))
        assert (status["status"], status["error"]["code"]) == ("Failed", "InternalExecutionError")
        after = await azure.vm()
        assert after["properties"]["storageProfile"]["osDisk"] == before
        assert after["properties"]["provisioningState"] == "Failed"
        assert (await azure.disk("free"))["properties"]["diskState"] == "Unattached"

    run_story(story, [linux_vm(_power="deallocated"), free_disk("free")])
