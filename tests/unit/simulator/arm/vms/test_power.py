"""Power operations: states, durations, headers."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from simulator.arm.core import durations
from tests.unit.simulator.arm.azure import COMPUTE, VM1, Azure, free_disk, linux_vm, run_story

# Recorded header patterns: whether there is a Location, Retry-After of the first answer and of the first two polls.
PATTERNS = {
    "deallocate": (True, "10", (None, None)),
    "start": (True, "10", ("10", "10")),
    "restart": (True, "10", ("10", None)),
    "powerOff": (True, None, (None, None)),
    "redeploy": (True, None, (None, None)),
    "reapply": (True, None, (None, None)),
}


@pytest.mark.parametrize("action", PATTERNS)
def test_power_operations_have_the_recorded_headers(action: str) -> None:
    """202, both URLs, Retry-After where recorded but not on the last poll; the result URL gives 200 at the end."""
    location, first, polls = PATTERNS[action]

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"match": {"resource": "vm1"}, "duration_s": 60}])
        reply = await azure.arm("POST", f"{VM1}/{action}")
        assert (reply.status, reply.body) == (202, None)
        assert ("Location" in reply.headers) == location
        assert reply.headers.get("Retry-After") == first
        url = reply.headers["Azure-AsyncOperation"]
        for expected in polls:
            poll = await azure.arm("GET", url)
            assert poll.body["status"] == "InProgress"
            assert poll.headers.get("Retry-After") == expected
        assert (await azure.arm("GET", reply.headers["Location"])).status == 202
        await asyncio.sleep(61)
        done = await azure.arm("GET", url)
        assert done.body["status"] == "Succeeded"
        assert done.body["endTime"] > done.body["startTime"]
        assert "Retry-After" not in done.headers
        assert (await azure.arm("GET", reply.headers["Location"])).status == 200

    run_story(story, [linux_vm(_power="stopped" if action == "start" else "running")])


def test_an_operation_ends_by_the_clock_without_polls() -> None:
    """The VM is deallocated without any poll."""

    async def story(azure: Azure) -> None:
        await azure.arm("POST", f"{VM1}/deallocate")
        assert await azure.power() == "PowerState/deallocating"
        await asyncio.sleep(300)
        assert await azure.power() == "PowerState/deallocated"

    run_story(story, [linux_vm()])


def test_the_etag_rises_with_every_power_operation() -> None:
    """Three operations give three new etags."""

    async def story(azure: Azure) -> None:
        etags = [(await azure.arm("GET", VM1)).headers["Etag"]]
        for action in ("powerOff", "start", "deallocate"):
            await azure.finish(await azure.arm("POST", f"{VM1}/{action}"))
            etags.append((await azure.arm("GET", VM1)).headers["Etag"])
        assert len(set(etags)) == 4

    run_story(story, [linux_vm()])


def test_the_same_seed_draws_the_same_durations() -> None:
    """The same seed gives the same duration; another seed another."""

    async def story(azure: Azure) -> float:
        begun = azure.clock.time()
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        return azure.clock.time() - begun

    took = [run_story(story, [linux_vm()], seed=seed) for seed in (1, 1, 2)]
    assert took[0] == took[1] != took[2]


def test_what_a_power_state_forbids_is_refused() -> None:
    """Refused: restart of a deallocated VM, start of a generalized one, generalize of a running one."""

    async def story(azure: Azure) -> None:
        assert (await azure.arm("POST", f"{VM1}/generalize")).code == "OperationNotAllowed"
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        refused = await azure.arm("POST", f"{VM1}/restart")
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        assert (await azure.arm("POST", f"{VM1}/generalize")).status == 200
        refused = await azure.arm("POST", f"{VM1}/start")
        assert refused.message == "Operation 'start' is not allowed on VM 'vm1' since the VM is generalized."
        codes = [each["code"] for each in (await azure.vm())["properties"]["instanceView"]["statuses"]]
        assert codes[0] == "OSState/generalized"

    run_story(story, [linux_vm()])


def test_a_deallocated_vm_hides_the_size_of_its_disk() -> None:
    """Size and SKU are visible only while the VM has a host, as recorded."""

    async def story(azure: Azure) -> None:
        shown = (await azure.vm())["properties"]["storageProfile"]["osDisk"]
        assert shown["diskSizeGB"] == 30
        assert shown["managedDisk"]["storageAccountType"] == "Premium_LRS"
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        hidden = (await azure.vm())["properties"]["storageProfile"]["osDisk"]
        assert "diskSizeGB" not in hidden
        assert list(hidden["managedDisk"]) == ["id"]

    run_story(story, [linux_vm()])


def test_deleting_a_vm_follows_the_delete_option_of_each_disk() -> None:
    """Detach keeps the disk unattached, Delete deletes it with the VM."""
    blocks = {
        "osDisk": {"name": "os", "managedDisk": {"id": f"{COMPUTE}/disks/os"}, "deleteOption": "Delete"},
        "dataDisks": [{"lun": 0, "name": "data", "managedDisk": {"id": f"{COMPUTE}/disks/data"}}],
    }

    async def story(azure: Azure) -> None:
        assert (await azure.disk("data"))["managedBy"] == VM1
        await azure.finish(await azure.arm("DELETE", VM1))
        assert (await azure.arm("GET", f"{COMPUTE}/disks/os")).status == 404
        assert (await azure.disk("data"))["properties"]["diskState"] == "Unattached"

    run_story(story, [linux_vm(properties={"storageProfile": blocks}), free_disk("data")])


def test_a_vm_can_be_made_through_arm() -> None:
    """A PUT gives 201 Creating and makes the OS disk; at the end the VM runs and its agent reports."""

    async def story(azure: Azure) -> None:
        image = {"publisher": "Canonical", "offer": "ubuntu", "sku": "server-gen2", "version": "latest"}
        body = {"location": "westeurope", "properties": {"storageProfile": {"imageReference": image}}}
        reply = await azure.arm("PUT", f"{COMPUTE}/virtualMachines/made", body)
        assert (reply.status, reply.body["properties"]["provisioningState"]) == (201, "Creating")
        assert "Location" not in reply.headers
        await azure.finish(reply)
        vm = await azure.vm("made")
        assert vm["properties"]["instanceView"]["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
        disk = await azure.disk(vm["properties"]["storageProfile"]["osDisk"]["name"])
        assert disk["properties"]["hyperVGeneration"] == "V2"
        assert disk["managedBy"] == vm["id"]

    run_story(story, [linux_vm()])


@pytest.mark.parametrize("kind", sorted(durations.KINDS))
def test_durations_follow_the_recorded_quantiles(kind: str) -> None:
    """A thousand draws stay within the recorded bounds and have the recorded median."""
    random = Random(7)  # noqa: S311 # reproducible, not secret
    drawn = sorted(durations.draw(kind, random) for _ in range(1000))
    points = dict(durations._QUANTILES[kind])
    assert points[0] <= drawn[0]
    assert drawn[-1] <= points[1]
    assert drawn[450] * 0.99 <= points[0.5] <= drawn[550] * 1.01
