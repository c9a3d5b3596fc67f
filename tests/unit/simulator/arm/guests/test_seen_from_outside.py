"""A VM without its agent: serial log, screenshot, Resource Health, hibernation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.simulator.arm.azure import VM1, Azure, Json, Reply, free_disk, linux_vm, run_story

DIAGNOSED: Json = {"diagnosticsProfile": {"bootDiagnostics": {"enabled": True}}}
HIBERNATING: Json = {"additionalCapabilities": {"hibernationEnabled": True}}
HEALTH = f"{VM1}/providers/Microsoft.ResourceHealth/availabilityStatuses"


async def links(azure: Azure, query: str = "") -> Any:
    reply = await azure.arm("POST", f"{VM1}/retrieveBootDiagnosticsData{query}")
    assert reply.status == 200, reply.body
    return reply.body


async def fetch(azure: Azure, url: str) -> tuple[int, bytes]:
    async with azure.http.get(url) as response:
        return response.status, await response.read()


async def log(azure: Azure) -> str:
    status, text = await fetch(azure, (await links(azure))["serialConsoleLogBlobUri"])
    assert status == 200
    return text.decode()


async def boot_from(azure: Azure, disk: str) -> None:
    await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
    await azure.finish(await azure.swap(disk))
    await azure.finish(await azure.arm("POST", f"{VM1}/start"))


def test_a_guest_that_boots_shows_a_login_prompt_in_time() -> None:
    """The log has kernel lines at once and the prompt when the guest is up; the link needs no token."""

    async def story(azure: Azure) -> None:
        await boot_from(azure, "next")
        assert "Linux version" in await log(azure)
        assert not (await log(azure)).rstrip().endswith("login:")
        await asyncio.sleep(120)
        assert (await log(azure)).rstrip().endswith("vm1 login:")
        status, picture = await fetch(azure, (await links(azure))["consoleScreenshotBlobUri"])
        assert (status, picture[:2]) == (200, b"BM")

    run_story(story, [linux_vm(properties=DIAGNOSED), free_disk("next")])


@pytest.mark.parametrize(
    ("serial", "text_part"),
    [("panic", "Kernel panic"), ("emergency", "emergency mode"), ("setup", "Windows Setup"), ("silent", None)],
)
def test_a_guest_that_does_not_boot_shows_the_console_of_the_fault(serial: str, text_part: str | None) -> None:
    """The log has the lines of the fault without a prompt after them, and keeps the lines of earlier boots."""

    async def story(azure: Azure) -> None:
        before = await log(azure)
        assert before.rstrip().endswith("login:")
        await azure.sim("POST", "faults", [{"disk": "next", "boots": False, "serial": serial}])
        await boot_from(azure, "next")
        await asyncio.sleep(600)
        after = await log(azure)
        assert after.startswith(before)
        fresh = after.removeprefix(before)
        assert fresh == "" if text_part is None else text_part in fresh
        assert "login:" not in fresh

    run_story(story, [linux_vm(properties=DIAGNOSED), free_disk("next")])


def test_links_expire_and_need_a_valid_signature() -> None:
    """403 after the requested time and for a wrong signature; 409 without boot diagnostics, 404 without a VM."""

    async def story(azure: Azure) -> None:
        url = (await links(azure, "?sasUriExpirationTimeInMinutes=5"))["serialConsoleLogBlobUri"]
        assert (await fetch(azure, url))[0] == 200
        assert (await fetch(azure, url + "x"))[0] == 403
        await asyncio.sleep(301)
        status, body = await fetch(azure, url)
        assert (status, b"AuthenticationFailed" in body) == (403, True)
        bad = await azure.arm("POST", f"{VM1}/retrieveBootDiagnosticsData?sasUriExpirationTimeInMinutes=0")
        assert bad.code == "InvalidParameter"
        refused = await azure.arm("POST", f"{VM1[:-1]}2/retrieveBootDiagnosticsData")
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        assert (await azure.arm("POST", f"{VM1[:-1]}3/retrieveBootDiagnosticsData")).status == 404

    run_story(story, [linux_vm(properties=DIAGNOSED), linux_vm("vm2")])


def test_the_sdk_reads_boot_diagnostics() -> None:
    """The SDK's model has both links."""

    async def story(azure: Azure) -> None:
        data = await azure.compute.virtual_machines.retrieve_boot_diagnostics_data("rg1", "vm1")
        assert data.serial_console_log_blob_uri
        assert data.console_screenshot_blob_uri

    run_story(story, [linux_vm(properties=DIAGNOSED)])


async def health(azure: Azure) -> tuple[str, str]:
    properties = (await azure.arm("GET", f"{HEALTH}/current")).body["properties"]
    return properties["availabilityState"], properties["reasonType"]


def test_resource_health_follows_power_late() -> None:
    """The status is a minute behind a stop and a start; a guest that does not boot is available."""

    async def story(azure: Azure) -> None:
        assert await health(azure) == ("Available", "")
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        assert await health(azure) == ("Available", "")
        await asyncio.sleep(60)
        assert await health(azure) == ("Unavailable", "Customer Initiated")
        await azure.sim("POST", "faults", [{"disk": "*", "boots": False}])
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        assert (await health(azure))[0] == "Unavailable"
        await asyncio.sleep(60)
        assert await health(azure) == ("Available", "")
        assert len((await azure.arm("GET", HEALTH)).body["value"]) == 1

    run_story(story, [linux_vm()])


def test_resource_health_returns_the_status_of_the_scenario() -> None:
    """`_availability` overrides power; a missing VM gives 404; a PUT of the status gives 405."""

    async def story(azure: Azure) -> None:
        assert await health(azure) == ("Degraded", "Unplanned")
        assert (await azure.arm("GET", f"{HEALTH.replace('vm1', 'vm2')}/current")).status == 404
        assert (await azure.arm("PUT", f"{HEALTH}/current", {})).status == 405

    run_story(story, [linux_vm(_availability="Degraded")])


async def codes(azure: Azure) -> list[str]:
    return [each["code"] for each in (await azure.vm())["properties"]["instanceView"]["statuses"]]


def test_a_hibernated_vm_keeps_its_disks_and_takes_no_change() -> None:
    """Its disk is Frozen; a swap is refused and tags are accepted; after a deallocate the swap is accepted."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("POST", f"{VM1}/deallocate?hibernate=true")
        await azure.finish(reply)
        assert (await codes(azure))[1:] == ["PowerState/deallocated", "HibernationState/Hibernated"]
        name = (await azure.vm())["properties"]["storageProfile"]["osDisk"]["name"]
        assert (await azure.disk(name))["properties"]["diskState"] == "Frozen"
        refused: Reply = await azure.swap("next")
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
        assert (await azure.arm("PATCH", VM1, {"tags": {"a": "1"}})).status == 200
        assert (await azure.vm())["tags"] == {"a": "1"}
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        assert (await codes(azure))[1:] == ["PowerState/deallocated"]
        assert (await azure.swap("next")).status == 200

    run_story(story, [linux_vm(properties=HIBERNATING), free_disk("next", {"supportsHibernation": True})])


def test_a_hibernated_vm_resumes() -> None:
    """A start ends the hibernation of a VM from a scenario."""

    async def story(azure: Azure) -> None:
        assert "HibernationState/Hibernated" in await codes(azure)
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        assert (await codes(azure))[1:] == ["PowerState/running"]

    run_story(story, [linux_vm(_power="hibernated", properties=HIBERNATING)])


def test_only_a_running_vm_with_the_capability_is_hibernated() -> None:
    """Hibernation gives 409 without the capability, and for a VM that does not run."""

    async def story(azure: Azure) -> None:
        assert (await azure.arm("POST", f"{VM1}/deallocate?hibernate=true")).code == "OperationNotAllowed"
        assert (await azure.arm("POST", f"{VM1[:-1]}2/deallocate?hibernate=true")).code == "OperationNotAllowed"

    run_story(story, [linux_vm(), linux_vm("vm2", _power="stopped", properties=HIBERNATING)])
