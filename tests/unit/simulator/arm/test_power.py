"""Power operations: states, durations, headers, events of the journal."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from simulator.arm.core import durations
from tests.unit.simulator.arm.azure import COMPUTE, VM1, Azure, free_disk, linux_vm, told

# Header patterns as recorded: status, Location too?, Retry-After of the first answer and of the first two polls.
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
    """202, both URLs, Retry-After where recorded and on no terminal poll; the result URL ends with 200."""
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

    told(story, [linux_vm(_power="stopped" if action == "start" else "running")])


def test_an_operation_ends_by_the_clock_without_being_asked() -> None:
    """Nobody polls; the VM is deallocated all the same."""

    async def story(azure: Azure) -> None:
        await azure.arm("POST", f"{VM1}/deallocate")
        assert await azure.power() == "PowerState/deallocating"
        await asyncio.sleep(300)
        assert await azure.power() == "PowerState/deallocated"

    told(story, [linux_vm()])


def test_the_etag_rises_with_every_power_operation() -> None:
    """Three operations, three new etags."""

    async def story(azure: Azure) -> None:
        etags = [(await azure.arm("GET", VM1)).headers["Etag"]]
        for action in ("powerOff", "start", "deallocate"):
            await azure.finish(await azure.arm("POST", f"{VM1}/{action}"))
            etags.append((await azure.arm("GET", VM1)).headers["Etag"])
        assert len(set(etags)) == 4

    told(story, [linux_vm()])


def test_the_same_seed_draws_the_same_durations() -> None:
    """A run can be repeated; another seed is another run."""

    async def story(azure: Azure) -> float:
        begun = azure.clock.time()
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        return azure.clock.time() - begun

    took = [told(story, [linux_vm()], seed=seed) for seed in (1, 1, 2)]
    assert took[0] == took[1] != took[2]


def test_what_a_power_state_forbids_is_refused() -> None:
    """No restart of a deallocated VM, no start of a generalized one, no generalizing of a running one."""

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

    told(story, [linux_vm()])


def test_a_deallocated_vm_hides_the_size_of_its_disk() -> None:
    """Size and SKU show only while the VM has a host, as recorded."""

    async def story(azure: Azure) -> None:
        shown = (await azure.vm())["properties"]["storageProfile"]["osDisk"]
        assert shown["diskSizeGB"] == 30
        assert shown["managedDisk"]["storageAccountType"] == "Premium_LRS"
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        hidden = (await azure.vm())["properties"]["storageProfile"]["osDisk"]
        assert "diskSizeGB" not in hidden
        assert list(hidden["managedDisk"]) == ["id"]

    told(story, [linux_vm()])


def test_deleting_a_vm_treats_each_disk_as_its_delete_option_says() -> None:
    """Detach frees the disk, Delete takes it along."""
    blocks = {
        "osDisk": {"name": "os", "managedDisk": {"id": f"{COMPUTE}/disks/os"}, "deleteOption": "Delete"},
        "dataDisks": [{"lun": 0, "name": "data", "managedDisk": {"id": f"{COMPUTE}/disks/data"}}],
    }

    async def story(azure: Azure) -> None:
        assert (await azure.disk("data"))["managedBy"] == VM1
        await azure.finish(await azure.arm("DELETE", VM1))
        assert (await azure.arm("GET", f"{COMPUTE}/disks/os")).status == 404
        assert (await azure.disk("data"))["properties"]["diskState"] == "Unattached"

    told(story, [linux_vm(properties={"storageProfile": blocks}), free_disk("data")])


def test_a_vm_can_be_made_through_arm() -> None:
    """PUT answers 201 Creating, makes the OS disk, and ends with a VM that runs and reports."""

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

    told(story, [linux_vm()])


@pytest.mark.parametrize("kind", sorted(durations.KINDS))
def test_durations_follow_the_recorded_quantiles(kind: str) -> None:
    """A thousand draws stay within the recorded bounds and halve at the recorded median."""
    random = Random(7)  # noqa: S311 # reproducible, not secret
    drawn = sorted(durations.draw(kind, random) for _ in range(1000))
    points = dict(durations._QUANTILES[kind])
    assert points[0] <= drawn[0]
    assert drawn[-1] <= points[1]
    assert drawn[450] * 0.99 <= points[0.5] <= drawn[550] * 1.01
