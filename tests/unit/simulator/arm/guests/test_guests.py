"""Guests: their name, health and extensions in the instance view, the ports they listen on."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, VERSION1, VM1, Azure, Json, free_disk, gallery, linux_vm, run_story


async def view(azure: Azure) -> Json:
    shown: Json = (await azure.vm())["properties"]["instanceView"]
    return shown


async def swapped(azure: Azure, disk: str) -> None:
    """Swap vm1 to a disk, start it and wait until it has booted."""
    await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
    await azure.finish(await azure.swap(disk))
    await azure.finish(await azure.arm("POST", f"{VM1}/start"))
    await asyncio.sleep(120)


def test_a_clone_keeps_the_name_it_was_made_with() -> None:
    """A disk with `_hostname` gives the guest that name; another disk gives it the VM's own again."""

    async def story(azure: Azure) -> None:
        assert (await view(azure))["computerName"] == "vm1"
        await swapped(azure, "clone")
        assert (await view(azure))["computerName"] == "golden"
        await swapped(azure, "plain")
        assert (await view(azure))["computerName"] == "vm1"

    run_story(story, [linux_vm(), free_disk("clone", _hostname="golden"), free_disk("plain")])


def test_a_disk_from_a_version_keeps_the_versions_name() -> None:
    """Every disk made from an image version with `_hostname` has that key, and the control plane returns it."""

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "resources", [{"id": VERSION1, "_hostname": "golden"}])
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION1}}
        body = {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "properties": {"creationData": creation}}
        await azure.finish(await azure.arm("PUT", f"{COMPUTE}/disks/next", body))
        assert "_hostname" not in await azure.disk("next")
        (disk,) = (await azure.sim("GET", f"resources?id={COMPUTE}/disks/next")).body
        assert disk["_hostname"] == "golden"
        await swapped(azure, "next")
        assert (await view(azure))["computerName"] == "golden"

    run_story(story, [*gallery(), linux_vm()])


@pytest.mark.parametrize(("disk", "code"), [("good", "HealthState/healthy"), ("bad", "HealthState/unhealthy")])
def test_the_health_extension_reports_whether_the_workload_works(disk: str, code: str) -> None:
    """A VM with the extension has `vmHealth` once its agent reports; a deallocated VM has none."""

    async def story(azure: Azure) -> None:
        await swapped(azure, disk)
        assert (await view(azure))["vmHealth"]["status"]["code"] == code
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        assert "vmHealth" not in await view(azure)

    run_story(story, [linux_vm(_health_extension=True), free_disk("good"), free_disk("bad", _healthy=False)])


def test_a_slow_extension_holds_the_start_of_a_vm_that_runs() -> None:
    """The VM runs and its agent reports while the start is still in progress and other operations are refused."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("POST", f"{VM1}/start")
        await asyncio.sleep(300)
        shown = await view(azure)
        assert [each["code"] for each in shown["statuses"]] == ["ProvisioningState/updating", "PowerState/running"]
        assert shown["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
        assert (await azure.arm("POST", f"{VM1}/powerOff")).code == "Conflict"
        (down,) = (await azure.sim("GET", "journal")).body["vms"].values()
        assert down["not_running_s"] < 60
        status = await azure.finish(reply)
        took = datetime.fromisoformat(status["endTime"]) - datetime.fromisoformat(status["startTime"])
        assert took.total_seconds() > 1800

    async def before(azure: Azure) -> None:
        await azure.sim("PUT", "resources", [{"id": VM1, "_slow_extension_s": 0}])
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        await azure.sim("PUT", "resources", [{"id": VM1, "_slow_extension_s": 1800}])
        await story(azure)

    run_story(before, [linux_vm()])


def test_data_disks_appear_in_the_instance_view() -> None:
    """The view has each disk by its name, the OS disk first."""
    data = [{"lun": 0, "name": "data0", "managedDisk": {"id": f"{COMPUTE}/disks/data0"}}]

    async def story(azure: Azure) -> None:
        assert [each["name"] for each in (await view(azure))["disks"]][1:] == ["data0"]

    run_story(story, [linux_vm(properties={"storageProfile": {"dataDisks": data}})])


async def guest(azure: Azure) -> Any:
    (only,) = (await azure.sim("GET", "guests")).body
    return only


async def reach(address: str) -> bytes:
    """The first line a guest sends after an HTTP request; OSError when the port does not listen."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return line


def test_a_guest_listens_while_it_is_up() -> None:
    """Ports answer SSH and HTTP; connections fail while the VM is down or boots; the addresses stay."""

    async def story(azure: Azure) -> None:
        before = await guest(azure)
        assert before["up"]
        assert before["ip"].startswith("10.")
        assert (await reach(before["ports"]["22"])).startswith(b"SSH-2.0-")
        assert await reach(before["ports"]["8080"]) == b"HTTP/1.1 200 OK\r\n"
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        for address in before["ports"].values():
            with pytest.raises(OSError):  # noqa: PT011 # refused or reset
                await reach(address)
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        assert not (await guest(azure))["up"]
        await asyncio.sleep(120)
        after = await guest(azure)
        assert after == before
        assert await reach(after["ports"]["8080"]) == b"HTTP/1.1 200 OK\r\n"

    run_story(story, [linux_vm(_listens=[22, 8080])])


@pytest.mark.parametrize("disk", ["sick", "dead"])
def test_no_port_listens_on_a_bad_disk(disk: str) -> None:
    """A guest that does not boot and one whose workload does not work refuse connections."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"disk": "dead", "boots": False}])
        address = (await guest(azure))["ports"]["8080"]
        await swapped(azure, disk)
        assert (await guest(azure))["up"] == (disk == "sick")
        with pytest.raises(OSError):  # noqa: PT011 # refused or reset
            await reach(address)

    run_story(story, [linux_vm(_listens=[8080]), free_disk("sick", _healthy=False), free_disk("dead")])


@pytest.mark.parametrize("takes_s", [3, 600])
def test_a_boot_takes_the_time_of_its_rule(takes_s: int) -> None:
    """With a rule for the disk, the agent's first report comes after its `takes_s`."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"disk": "*", "boots": True, "takes_s": takes_s}])
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        await asyncio.sleep(takes_s - 2)
        assert (await view(azure))["vmAgent"]["statuses"][0]["displayStatus"] == "Not Ready"
        await asyncio.sleep(4)
        assert (await view(azure))["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"

    run_story(story, [linux_vm()])


def test_a_scenario_can_show_a_guest_whose_agent_has_not_reported_yet() -> None:
    """A recorded view without a report is that of a guest that boots: the report comes within two minutes."""
    waiting = {"statuses": [{"code": "ProvisioningState/Unavailable", "displayStatus": "Not Ready"}]}

    async def story(azure: Azure) -> None:
        shown = await view(azure)
        assert shown["vmAgent"].keys() == {"vmAgentVersion", "statuses"}
        assert "computerName" not in shown
        await asyncio.sleep(120)
        assert (await view(azure))["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"

    run_story(story, [linux_vm(properties={"instanceView": {"vmAgent": waiting}})])


def test_a_deleted_vm_stops_listening() -> None:
    """Ports close when a VM is deleted over ARM or over the control plane."""

    async def story(azure: Azure) -> None:
        addresses = [each["ports"]["80"] for each in (await azure.sim("GET", "guests")).body]
        await azure.finish(await azure.arm("DELETE", VM1))
        await azure.sim("DELETE", "resources", [f"{COMPUTE}/virtualMachines/vm2"])
        for address in addresses:
            with pytest.raises(OSError):  # noqa: PT011 # refused or reset
                await reach(address)
        assert (await azure.sim("GET", "guests")).body == []

    run_story(story, [linux_vm(_listens=[80]), linux_vm("vm2", _listens=[80])])


def test_the_scenario_keys_of_a_guest_are_returned_as_written() -> None:
    """The control plane returns the scenario keys as written; ARM does not return them."""
    keys: Json = {"_listens": [22], "_slow_extension_s": 5.0, "_health_extension": True, "_availability": "Degraded"}

    async def story(azure: Azure) -> None:
        (body,) = (await azure.sim("GET", f"resources?id={VM1}")).body
        assert {key: body[key] for key in keys} == keys
        assert not [key for key in await azure.vm() if key.startswith("_")]

    run_story(story, [linux_vm(**keys)])


@pytest.mark.parametrize("key", [{"_listens": ["ssh"]}, {"_availability": "fine"}, {"_power": "asleep"}])
def test_an_invalid_scenario_key_of_a_guest_is_refused(key: Json) -> None:
    """The answer is 400 and names the key."""

    async def story(azure: Azure) -> None:
        reply = await azure.sim("PUT", "resources", [{"id": VM1, **key}])
        assert (reply.status, next(iter(key)) in reply.message) == (400, True)

    run_story(story, [linux_vm()])
