"""Guests: their name, health and extensions in the instance view, the ports they listen on."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, VERSION1, VM1, Azure, Json, free_disk, gallery, linux_vm, told


async def view(azure: Azure) -> Json:
    shown: Json = (await azure.vm())["properties"]["instanceView"]
    return shown


async def swapped(azure: Azure, disk: str) -> None:
    """vm1 onto a disk, started, and given time to come up."""
    await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
    await azure.finish(await azure.swap(disk))
    await azure.finish(await azure.arm("POST", f"{VM1}/start"))
    await asyncio.sleep(120)


def test_a_clone_keeps_the_name_it_was_made_with() -> None:
    """A disk with `_hostname` shows that name from its boot on; another disk shows the VM's own again."""

    async def story(azure: Azure) -> None:
        assert (await view(azure))["computerName"] == "vm1"
        await swapped(azure, "clone")
        assert (await view(azure))["computerName"] == "golden"
        await swapped(azure, "plain")
        assert (await view(azure))["computerName"] == "vm1"

    told(story, [linux_vm(), free_disk("clone", _hostname="golden"), free_disk("plain")])


def test_a_disk_from_a_version_keeps_the_versions_name() -> None:
    """`_hostname` on an image version is on every disk made from it, and the control plane tells it."""

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "resources", [{"id": VERSION1, "_hostname": "golden"}])
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION1}}
        body = {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "properties": {"creationData": creation}}
        await azure.finish(await azure.arm("PUT", f"{COMPUTE}/disks/next", body))
        assert "_hostname" not in await azure.disk("next")
        (told_disk,) = (await azure.sim("GET", f"resources?id={COMPUTE}/disks/next")).body
        assert told_disk["_hostname"] == "golden"
        await swapped(azure, "next")
        assert (await view(azure))["computerName"] == "golden"

    told(story, [*gallery(), linux_vm()])


@pytest.mark.parametrize(("disk", "code"), [("good", "HealthState/healthy"), ("bad", "HealthState/unhealthy")])
def test_the_health_extension_tells_whether_what_runs_works(disk: str, code: str) -> None:
    """A VM that has one shows `vmHealth` once its agent is there; on a deallocated VM nobody speaks."""

    async def story(azure: Azure) -> None:
        await swapped(azure, disk)
        assert (await view(azure))["vmHealth"]["status"]["code"] == code
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        assert "vmHealth" not in await view(azure)

    told(story, [linux_vm(_health_extension=True), free_disk("good"), free_disk("bad", _healthy=False)])


def test_a_slow_extension_holds_the_start_of_a_vm_that_runs() -> None:
    """Running with a guest that reports, while the start is still in progress and the VM takes no other operation."""

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

    told(before, [linux_vm()])


def test_data_disks_stand_in_the_view() -> None:
    """Each disk by its name, the OS disk first."""
    data = [{"lun": 0, "name": "data0", "managedDisk": {"id": f"{COMPUTE}/disks/data0"}}]

    async def story(azure: Azure) -> None:
        assert [each["name"] for each in (await view(azure))["disks"]][1:] == ["data0"]

    told(story, [linux_vm(properties={"storageProfile": {"dataDisks": data}})])


async def guest(azure: Azure) -> Any:
    (only,) = (await azure.sim("GET", "guests")).body
    return only


async def reach(address: str) -> bytes:
    """What a guest says to an HTTP request; OSError when nobody listens."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return line


def test_a_guest_listens_while_it_is_up() -> None:
    """SSH greets, HTTP answers; nobody is there while the VM is down or comes up; the addresses stay."""

    async def story(azure: Azure) -> None:
        before = await guest(azure)
        assert before["up"]
        assert before["ip"].startswith("10.")
        assert (await reach(before["ports"]["22"])).startswith(b"SSH-2.0-")
        assert await reach(before["ports"]["8080"]) == b"HTTP/1.1 200 OK\r\n"
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        for address in before["ports"].values():
            with pytest.raises(OSError):  # noqa: PT011 # refused or broken, as it comes
                await reach(address)
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        assert not (await guest(azure))["up"]
        await asyncio.sleep(120)
        after = await guest(azure)
        assert after == before
        assert await reach(after["ports"]["8080"]) == b"HTTP/1.1 200 OK\r\n"

    told(story, [linux_vm(_listens=[22, 8080])])


@pytest.mark.parametrize("disk", ["sick", "dead"])
def test_nobody_listens_on_a_bad_disk(disk: str) -> None:
    """A guest that does not boot, and one whose application does not work."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"disk": "dead", "boots": False}])
        address = (await guest(azure))["ports"]["8080"]
        await swapped(azure, disk)
        assert (await guest(azure))["up"] == (disk == "sick")
        with pytest.raises(OSError):  # noqa: PT011 # refused or broken, as it comes
            await reach(address)

    told(story, [linux_vm(_listens=[8080]), free_disk("sick", _healthy=False), free_disk("dead")])


@pytest.mark.parametrize("takes_s", [3, 600])
def test_a_boot_takes_as_long_as_a_rule_says(takes_s: int) -> None:
    """The agent's first report from a disk with a rule comes then, not at a drawn time."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"disk": "*", "boots": True, "takes_s": takes_s}])
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        await asyncio.sleep(takes_s - 2)
        assert (await view(azure))["vmAgent"]["statuses"][0]["displayStatus"] == "Not Ready"
        await asyncio.sleep(4)
        assert (await view(azure))["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"

    told(story, [linux_vm()])


def test_a_vm_that_is_gone_listens_no_more() -> None:
    """Deleted over ARM or taken out by hand."""

    async def story(azure: Azure) -> None:
        addresses = [each["ports"]["80"] for each in (await azure.sim("GET", "guests")).body]
        await azure.finish(await azure.arm("DELETE", VM1))
        await azure.sim("DELETE", "resources", [f"{COMPUTE}/virtualMachines/vm2"])
        for address in addresses:
            with pytest.raises(OSError):  # noqa: PT011 # refused or broken, as it comes
                await reach(address)
        assert (await azure.sim("GET", "guests")).body == []

    told(story, [linux_vm(_listens=[80]), linux_vm("vm2", _listens=[80])])


def test_what_a_scenario_says_of_a_guest_comes_back() -> None:
    """The private keys are told as they were given."""
    keys: Json = {"_listens": [22], "_slow_extension_s": 5.0, "_health_extension": True, "_availability": "Degraded"}

    async def story(azure: Azure) -> None:
        (body,) = (await azure.sim("GET", f"resources?id={VM1}")).body
        assert {key: body[key] for key in keys} == keys
        assert not [key for key in await azure.vm() if key.startswith("_")]

    told(story, [linux_vm(**keys)])


@pytest.mark.parametrize("key", [{"_listens": ["ssh"]}, {"_availability": "fine"}, {"_power": "asleep"}])
def test_a_guest_nobody_understands_is_refused(key: Json) -> None:
    """400 naming the key."""

    async def story(azure: Azure) -> None:
        reply = await azure.sim("PUT", "resources", [{"id": VM1, **key}])
        assert (reply.status, next(iter(key)) in reply.message) == (400, True)

    told(story, [linux_vm()])
