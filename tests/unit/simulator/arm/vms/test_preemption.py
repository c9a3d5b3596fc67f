"""Two writers on one VM: which newer operation ends an older one, and which gets 409."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, VM1, Azure, Json, Reply, free_disk, linux_vm, run_story

PREEMPTED = {
    "code": "OperationPreempted",
    "message": "Operation execution has been preempted by a more recent operation.",
}
EXTENSION = f"{VM1}/extensions/ama"
AGENT: Json = {
    "location": "westeurope",
    "properties": {"publisher": "Microsoft.Azure.Monitor", "type": "Agent", "protectedSettings": {"key": "secret"}},
}
SLOW = [{"match": {"resource": "vm1"}, "times": 1, "duration_s": 600}]


async def state(azure: Azure) -> str:
    return str((await azure.vm())["properties"]["provisioningState"])


async def status_of(azure: Azure, begun: Reply) -> Json:
    body: Json = (await azure.arm("GET", begun.headers["Azure-AsyncOperation"])).body
    return body


@pytest.mark.parametrize("action", ["start", "restart", "redeploy", "reapply"])
def test_a_deallocate_preempts_a_power_operation(action: str) -> None:
    """The older operation fails at once with Azure's code and message; the deallocate succeeds."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", SLOW)
        older = await azure.arm("POST", f"{VM1}/{action}")
        await asyncio.sleep(5)
        newer = await azure.arm("POST", f"{VM1}/deallocate")
        assert newer.status == 202
        ended = await status_of(azure, older)
        assert (ended["status"], ended["error"]) == ("Failed", PREEMPTED)
        assert await azure.power() == "PowerState/deallocating"
        assert await state(azure) == "Updating"
        assert (await azure.finish(newer))["status"] == "Succeeded"
        await asyncio.sleep(1200)
        assert await azure.power() == "PowerState/deallocated"
        assert await state(azure) == "Succeeded"

    run_story(story, [linux_vm(_power="deallocated" if action == "start" else "running")])


def test_a_preempted_swap_changes_nothing() -> None:
    """The VM keeps its old OS disk, and the new disk stays free."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        old = (await azure.vm())["properties"]["storageProfile"]["osDisk"]["name"]
        await azure.sim("POST", "faults", [{"match": {"operation": "update"}, "duration_s": 60}])
        swap = await azure.swap("next")
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        assert (await status_of(azure, swap))["error"] == PREEMPTED
        await asyncio.sleep(120)
        assert (await azure.vm())["properties"]["storageProfile"]["osDisk"]["name"] == old
        assert (await azure.disk("next"))["properties"]["diskState"] == "Unattached"

    run_story(story, [linux_vm(), free_disk("next")])


def test_an_extension_that_holds_a_start_is_preempted() -> None:
    """The VM runs, its start is still in progress; a deallocate ends the start and stops the VM."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"match": {"operation": "start"}, "held_s": 5400}])
        start = await azure.arm("POST", f"{VM1}/start")
        await asyncio.sleep(60)
        assert await azure.power() == "PowerState/running"
        assert (await status_of(azure, start))["status"] == "InProgress"
        stop = await azure.arm("POST", f"{VM1}/deallocate")
        assert (await status_of(azure, start))["error"] == PREEMPTED
        assert (await azure.finish(stop))["status"] == "Succeeded"
        await asyncio.sleep(6000)
        assert await azure.power() == "PowerState/deallocated"

    run_story(story, [linux_vm(_power="deallocated")])


@pytest.mark.parametrize("begun_by", ["request", "scenario", "control plane"])
def test_extension_work_holds_the_vm_until_a_deallocate(begun_by: str) -> None:
    """While an extension works, the running VM is Updating, writes get 409 Conflict, and a deallocate ends the work."""

    async def story(azure: Azure) -> None:
        older = None
        if begun_by == "request":
            await azure.sim("POST", "faults", [{"match": {"operation": "extensionCreate"}, "duration_s": 3600}])
            older = await azure.arm("PUT", EXTENSION, AGENT)
            assert older.status == 201
        elif begun_by == "control plane":
            assert (await azure.sim("PUT", "resources", [{"id": VM1, "_extension_work_s": 3600}])).status == 200
        await asyncio.sleep(600)
        assert (await azure.power(), await state(azure)) == ("PowerState/running", "Updating")
        for method, path, body in (("POST", f"{VM1}/powerOff", None), ("PATCH", VM1, {"properties": {}})):
            refused = await azure.arm(method, path, body)
            assert (refused.status, refused.code) == (409, "Conflict")
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/deallocate")))["status"] == "Succeeded"
        assert (await azure.power(), await state(azure)) == ("PowerState/deallocated", "Succeeded")
        if older is not None:
            assert (await status_of(azure, older))["error"] == PREEMPTED
            assert (await azure.arm("GET", EXTENSION)).body["properties"]["provisioningState"] == "Failed"
        assert any("/extensions/" in each["subject"] for each in (await azure.sim("GET", "events")).body)

    keys: Json = {"_extension_work_s": 3600} if begun_by == "scenario" else {}
    run_story(story, [{**linux_vm(), **keys}])


def test_extension_work_ends_by_itself() -> None:
    """The VM shows the extension among its resources until it is deleted, or until the VM is."""

    async def story(azure: Azure) -> None:
        assert (await azure.finish(await azure.arm("PUT", EXTENSION, AGENT)))["status"] == "Succeeded"
        assert await state(azure) == "Succeeded"
        shown = (await azure.vm())["resources"]
        assert "protectedSettings" not in shown[0]["properties"]
        assert [(each["name"], each["properties"]["provisioningState"]) for each in shown] == [("ama", "Succeeded")]
        await azure.finish(await azure.arm("PATCH", EXTENSION, {"properties": {"autoUpgradeMinorVersion": True}}))
        assert (await azure.arm("GET", EXTENSION)).body["properties"]["type"] == "Agent"
        await azure.finish(await azure.arm("DELETE", EXTENSION))
        assert (await azure.vm())["resources"] == []
        assert (await azure.arm("DELETE", EXTENSION)).status == 204
        await azure.finish(await azure.arm("PUT", EXTENSION, AGENT))
        await azure.finish(await azure.arm("DELETE", VM1))
        assert (await azure.arm("GET", EXTENSION)).status == 404

    run_story(story, [linux_vm()])


def test_a_failed_extension_fails_the_vm() -> None:
    """The VM's provisioning state is Failed with the extension's code; the VM runs."""

    async def story(azure: Azure) -> None:
        fail = {"code": "VMExtensionProvisioningError", "message": "planned"}
        await azure.sim("POST", "faults", [{"match": {"operation": "extensionCreate"}, "fail": fail}])
        assert (await azure.finish(await azure.arm("PUT", EXTENSION, AGENT)))["error"]["code"] == fail["code"]
        codes = [each["code"] for each in (await azure.vm())["properties"]["instanceView"]["statuses"]]
        assert codes == [f"ProvisioningState/failed/{fail['code']}", "PowerState/running"]

    run_story(story, [linux_vm()])


def test_extensions_of_a_stopped_vm_cannot_be_changed() -> None:
    """409 with Azure's message; the scenario key is refused as well, and so is a value that is no number."""

    async def story(azure: Azure) -> None:
        refused = await azure.arm("PUT", EXTENSION, AGENT)
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        assert refused.message == "Cannot modify extensions in the VM when the VM is not running."
        for value in (60, "long"):
            reply = await azure.sim("PUT", "resources", [{"id": VM1, "_extension_work_s": value}])
            assert (reply.status, "_extension_work_s" in reply.message) == (400, True)

    run_story(story, [linux_vm(_power="deallocated")])


CONFLICTS = [("deallocate", "deallocate"), ("deallocate", "start"), ("powerOff", "deallocate"), ("start", "restart")]


@pytest.mark.parametrize(("older", "newer"), CONFLICTS)
def test_other_operations_do_not_preempt(older: str, newer: str) -> None:
    """The newer request gets 409 Conflict, and the older operation succeeds."""

    async def story(azure: Azure) -> None:
        begun = await azure.arm("POST", f"{VM1}/{older}")
        refused = await azure.arm("POST", f"{VM1}/{newer}")
        assert (refused.status, refused.code) == (409, "Conflict")
        assert (await azure.finish(begun))["status"] == "Succeeded"

    run_story(story, [linux_vm(_power="stopped" if older == "start" else "running")])


def test_a_hibernation_does_not_preempt() -> None:
    """A deallocate with `hibernate=true` gets 409 while the VM is Updating."""

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "resources", [{"id": VM1, "_extension_work_s": 60}])
        assert (await azure.arm("POST", f"{VM1}/deallocate?hibernate=true")).code == "Conflict"

    run_story(story, [linux_vm(properties={"additionalCapabilities": {"hibernationEnabled": True}})])


def test_a_delete_preempts_a_creation() -> None:
    """The creation fails as preempted and the VM is gone."""

    async def story(azure: Azure) -> None:
        image = {"publisher": "Canonical", "offer": "ubuntu", "sku": "server-gen2", "version": "latest"}
        body = {"location": "westeurope", "properties": {"storageProfile": {"imageReference": image}}}
        creation = await azure.arm("PUT", f"{COMPUTE}/virtualMachines/made", body)
        deletion = await azure.arm("DELETE", f"{COMPUTE}/virtualMachines/made")
        assert (await status_of(azure, creation))["error"] == PREEMPTED
        assert (await azure.finish(deletion))["status"] == "Succeeded"
        await asyncio.sleep(3600)
        assert (await azure.arm("GET", f"{COMPUTE}/virtualMachines/made")).status == 404

    run_story(story, [linux_vm()])


@pytest.mark.parametrize(("action", "power"), [("start", "deallocated"), ("restart", "running")])
def test_a_deallocate_that_preempts_and_fails_leaves_the_earlier_power(action: str, power: str) -> None:
    """Neither operation leaves the VM between two power states, and the VM counts as down only while it is."""

    async def story(azure: Azure) -> None:
        fail: list[Any] = [{"match": {"operation": "deallocate"}, "fail": {"code": "InternalExecutionError"}}]
        await azure.sim("POST", "faults", SLOW + fail)
        await azure.arm("POST", f"{VM1}/{action}")
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/deallocate")))["status"] == "Failed"
        assert await azure.power() == f"PowerState/{power}"
        assert await state(azure) == "Failed"

    run_story(story, [linux_vm(_power=power)])
