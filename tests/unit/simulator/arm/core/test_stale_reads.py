"""Reads that a replica answers which lags behind: old content with a current Date."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from simulator.arm.core.history import LONGEST_S
from tests.unit.simulator.arm.azure import COMPUTE, VM1, Azure, Reply, free_disk, linux_vm, run_story

TAGS = f"{VM1}/providers/Microsoft.Resources/tags/default"
TAGGED = {"operation": "Merge", "properties": {"tags": {"a": "1"}}}


async def lag(azure: Azure, stale_s: float, path: str = ".", **more: Any) -> None:
    """From now on, reads have the content of `stale_s` seconds ago."""
    reply = await azure.sim("POST", "faults", [{"match": {"path": path}, "stale_s": stale_s, **more}])
    assert reply.status == 200, reply.body


async def read(azure: Azure) -> Reply:
    return await azure.arm("GET", f"{VM1}?$expand=instanceView")


def shown(reply: Reply) -> tuple[str, str, str]:
    """OS disk, power and provisioning state of an answer."""
    properties = reply.body["properties"]
    power = properties["instanceView"]["statuses"][-1]["code"].removeprefix("PowerState/")
    return properties["storageProfile"]["osDisk"]["name"], power, properties["provisioningState"]


def test_a_read_after_a_swap_has_the_old_disk_and_a_current_date() -> None:
    """For `stale_s` seconds after the PATCH the VM, both disks and the etag are as before it; then they are new."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        await asyncio.sleep(60)
        before = await read(azure)
        old = shown(before)[0]
        await azure.sim("POST", "faults", [{"match": {"operation": "update"}, "duration_s": 3}])
        await lag(azure, 8)
        patched = await azure.swap("next")
        etag = (await azure.arm("GET", VM1)).headers["Etag"]
        at = azure.clock.now()
        assert shown(await read(azure)) == (old, "deallocated", "Succeeded")
        assert etag != patched.headers["Etag"]
        await azure.finish(patched)
        late = await read(azure)
        assert shown(late) == (old, "deallocated", "Succeeded")
        assert abs(parsedate_to_datetime(late.headers["Date"]) - azure.clock.now()) < timedelta(seconds=2)
        assert azure.clock.now() - at < timedelta(seconds=8)
        assert (await azure.disk("next"))["properties"]["diskState"] == "Unattached"
        assert (await azure.disk(old))["properties"]["diskState"] == "Reserved"
        await asyncio.sleep(9)
        assert shown(await read(azure)) == ("next", "deallocated", "Succeeded")
        assert (await azure.disk("next"))["managedBy"] == VM1
        assert (await azure.disk(old))["properties"]["diskState"] == "Unattached"

    run_story(story, [linux_vm(), free_disk("next")])


def test_a_stale_read_follows_every_change_after_its_time() -> None:
    """Power, provisioning and the agent's report appear in their order, each `stale_s` seconds late."""

    async def story(azure: Azure) -> None:
        async def record(rows: list[Any]) -> None:
            for _ in range(90):
                body = (await read(azure)).body["properties"]
                view = body["instanceView"]
                agent = view.get("vmAgent", {}).get("statuses", [{}])[0]
                rows.append((view["statuses"][-1]["code"], body["provisioningState"], agent.get("displayStatus")))
                await asyncio.sleep(1)

        now: list[Any] = []
        await azure.arm("POST", f"{VM1}/start")
        await record(now)
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        assert list(dict.fromkeys(now)) == [
            ("PowerState/starting", "Updating", None),
            ("PowerState/running", "Succeeded", "Not Ready"),
            ("PowerState/running", "Succeeded", "Ready"),
        ]
        await asyncio.sleep(60)
        await lag(azure, 20)
        late: list[Any] = []
        begun = azure.clock.time()
        await azure.arm("POST", f"{VM1}/start")
        await record(late)
        assert azure.clock.time() - begun < 95
        assert late[:20] == [("PowerState/deallocated", "Succeeded", None)] * 20
        assert list(dict.fromkeys(late[20:])) == list(dict.fromkeys(now))

    run_story(story, [linux_vm(_power="deallocated")])


def test_a_read_of_tags_and_of_the_vm_has_the_old_tags() -> None:
    """The answer of the write has the new tag, and the reads have it after `stale_s`."""

    async def story(azure: Azure) -> None:
        await lag(azure, 5)
        await asyncio.sleep(1)
        assert (await azure.arm("PATCH", TAGS, TAGGED)).body["properties"]["tags"] == {"a": "1"}
        await asyncio.sleep(4)
        assert (await azure.arm("GET", TAGS)).body["properties"]["tags"] == {}
        assert (await read(azure)).body["tags"] == {}
        await asyncio.sleep(2)
        assert (await azure.arm("GET", TAGS)).body["properties"]["tags"] == {"a": "1"}
        assert (await read(azure)).body["tags"] == {"a": "1"}

    run_story(story, [linux_vm()])


def test_the_vm_of_an_extension_is_as_old_as_the_extension() -> None:
    """While an extension works and after it, the VM's state and resources are late, too."""

    async def story(azure: Azure) -> None:
        async def seen() -> tuple[str, int]:
            body = (await read(azure)).body
            return body["properties"]["provisioningState"], len(body.get("resources", []))

        await azure.sim("POST", "faults", [{"match": {"operation": "extensionCreate"}, "duration_s": 30}])
        await asyncio.sleep(60)
        await lag(azure, 10)
        await azure.arm("PUT", f"{VM1}/extensions/ama", {"location": "westeurope"})
        states = []
        for _ in range(4):
            await asyncio.sleep(9)
            states.append(await seen())
        await asyncio.sleep(9)
        assert states == [("Succeeded", 0), ("Updating", 0), ("Updating", 0), ("Updating", 0)]
        assert await seen() == ("Succeeded", 1)

    run_story(story, [linux_vm()])


@pytest.mark.parametrize("listed", [False, True])
def test_a_new_resource_is_missing_and_a_deleted_one_is_still_there(listed: bool) -> None:
    """GET and list follow a creation and a deletion late."""

    async def found(azure: Azure) -> list[str]:
        if listed:
            names = [each["name"] for each in (await azure.arm("GET", f"{COMPUTE}/disks")).body["value"]]
            return [name for name in ("gone", "made") if name in names]
        names = []
        for name in ("gone", "made"):
            if (await azure.arm("GET", f"{COMPUTE}/disks/{name}")).status == 200:
                names.append(name)
        return names

    async def story(azure: Azure) -> None:
        body = {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
        await asyncio.sleep(20)
        await lag(azure, 10)
        made = await azure.arm("PUT", f"{COMPUTE}/disks/made", body)
        deleted = await azure.arm("DELETE", f"{COMPUTE}/disks/gone")
        assert (await azure.finish(made))["status"] == (await azure.finish(deleted))["status"] == "Succeeded"
        assert await found(azure) == ["gone"]
        await asyncio.sleep(11)
        assert await found(azure) == ["made"]

    run_story(story, [free_disk("gone")])


@pytest.mark.parametrize("is_new", [False, True])
def test_a_disk_that_a_vm_makes_is_missing_as_long_as_other_new_resources(is_new: bool) -> None:
    """The disk of a new VM, and the data disk that an update adds, are in late reads as late as the VM's change."""

    async def story(azure: Azure) -> None:
        await asyncio.sleep(20)
        await lag(azure, 10)
        if is_new:
            image = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}
            storage: dict[str, Any] = {"imageReference": image, "osDisk": {"name": "made", "createOption": "FromImage"}}
            method, path = "PUT", f"{COMPUTE}/virtualMachines/vm2"
        else:
            storage = {"dataDisks": [{"lun": 0, "name": "made", "createOption": "Empty", "diskSizeGB": 4}]}
            method, path = "PATCH", VM1
            await azure.sim("POST", "faults", [{"match": {"operation": "update"}, "duration_s": 3}])
        reply = await azure.arm(method, path, {"location": "westeurope", "properties": {"storageProfile": storage}})
        assert reply.status < 300, reply.body
        await asyncio.sleep(5)
        assert (await azure.arm("GET", f"{COMPUTE}/disks/made")).status == 404
        await asyncio.sleep(10)
        assert (await azure.arm("GET", f"{COMPUTE}/disks/made")).status == 200

    run_story(story, [linux_vm()])


def test_a_rule_is_aimed_at_a_path_and_a_number_of_times() -> None:
    """Only reads of the named resource are stale, and only `times` of them; operations and writes use none."""

    async def story(azure: Azure) -> None:
        await lag(azure, 200, "/vm1", times=2)
        stop = await azure.arm("POST", f"{VM1}/powerOff")
        assert (await azure.finish(stop))["status"] == "Succeeded"
        powers = [shown(await read(azure))[1] for _ in range(3)]
        assert powers == ["running", "running", "stopped"]

    run_story(story, [linux_vm()])


def test_the_status_of_an_operation_is_right() -> None:
    """Status and result URL say that the operation has ended while the VM's read does not."""

    async def story(azure: Azure) -> None:
        await asyncio.sleep(100)
        await lag(azure, 90)
        stop = await azure.arm("POST", f"{VM1}/powerOff")
        done = await azure.finish(stop)
        assert done["status"] == "Succeeded"
        assert (await azure.arm("GET", stop.headers["Location"])).status == 200
        assert shown(await read(azure))[1] == "running"

    run_story(story, [linux_vm()])


def test_old_contents_are_not_kept_for_ever() -> None:
    """After many writes only those of the last minutes are kept."""

    async def story(azure: Azure) -> None:
        for _ in range(50):
            await azure.arm("PATCH", TAGS, TAGGED)
            await asyncio.sleep(30)
        history = azure.simulator.services.history
        assert len(history._versions[VM1.lower()]) <= LONGEST_S / 30 + 1

    run_story(story, [linux_vm()])
