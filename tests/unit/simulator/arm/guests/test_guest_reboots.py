"""A guest that reboots itself: the VM runs all the time, and everything that shows the guest shows the reboot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.simulator.arm.azure import VERSION1, VM1, Azure, Json, free_disk, gallery, linux_vm, run_story
from tests.unit.simulator.arm.guests.test_guests import guest, reach, swapped, view
from tests.unit.simulator.arm.guests.test_seen_from_outside import DIAGNOSED, fetch, links, log

RUNNING = [{"disk": "*", "boots": True, "takes_s": 40}]
HEALTH = f"{VM1}/providers/Microsoft.ResourceHealth/availabilityStatuses/current"


async def agent(azure: Azure) -> tuple[str, str]:
    status = (await view(azure))["vmAgent"]["statuses"][0]
    return status["displayStatus"], status["message"]


async def answers(azure: Azure) -> bool:
    try:
        return bool(await reach((await guest(azure))["ports"]["8080"]))
    except OSError:
        return False


async def boots(azure: Azure) -> int:
    return (await log(azure)).count("Linux version")


def test_a_reboot_shows_in_the_guest_and_nowhere_else() -> None:
    """Power, provisioning and downtime do not change and there is no operation; ports, console and screenshot do."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", RUNNING)
        assert (await azure.sim("PUT", "resources", [{"id": VM1, "_reboots_after_s": 30}])).status == 200
        assert await answers(azure)
        await asyncio.sleep(35)
        shown = await view(azure)
        codes = [each["code"] for each in shown["statuses"]]
        assert codes == ["ProvisioningState/succeeded", "PowerState/running"]
        assert not (await guest(azure))["up"]
        assert not await answers(azure)
        text = await log(azure)
        assert text.index("reboot: Restarting system") < text.rindex("Linux version")
        assert not text.rstrip().endswith("login:")
        _, picture = await fetch(azure, (await links(azure))["consoleScreenshotBlobUri"])
        assert picture.endswith(b"\x00\x00\x00\x00")
        await asyncio.sleep(60)
        assert (await guest(azure))["up"]
        assert await answers(azure)
        assert (await log(azure)).rstrip().endswith("vm1 login:")
        await asyncio.sleep(600)
        assert await boots(azure) == 2
        assert azure.simulator.operations.of(VM1) == []
        assert (await azure.sim("GET", "journal")).body["vms"] == {}

    run_story(story, [linux_vm(_listens=[8080], properties=DIAGNOSED)])


def test_the_agent_is_not_ready_while_a_long_reboot_lasts() -> None:
    """The last report stays for a while, as after a restart; then the agent is unresponsive until it reports again."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{**RUNNING[0], "takes_s": 900}])
        await azure.sim("PUT", "resources", [{"id": VM1, "_reboots_after_s": 30}])
        await asyncio.sleep(60)
        assert (await agent(azure))[0] == "Ready"
        await asyncio.sleep(400)
        assert await agent(azure) == ("Not Ready", "VM Agent is unresponsive.")
        await asyncio.sleep(500)
        assert (await agent(azure))[0] == "Ready"

    run_story(story, [linux_vm()])


def test_a_reboot_before_the_first_report_delays_the_report() -> None:
    """After a deallocate there is no earlier report: the agent is not ready until the second boot has ended."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{**RUNNING[0], "reboots_after_s": 30, "times": 1}, *RUNNING])
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        await asyncio.sleep(60)
        assert (await agent(azure))[0] == "Not Ready"
        await asyncio.sleep(15)
        assert (await agent(azure))[0] == "Ready"

    run_story(story, [linux_vm()])


def test_a_new_disk_reboots_its_guest_once() -> None:
    """The first boot from a disk with the key reboots; the next start from it does not."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", RUNNING)
        (disk,) = (await azure.sim("GET", "resources?id=" + free_disk("next")["id"])).body
        assert disk["_reboots_after_s"] == 20
        await swapped(azure, "next")
        assert await boots(azure) == 3  # the scenario's boot, the start and the reboot
        await azure.finish(await azure.arm("POST", f"{VM1}/restart"))
        await asyncio.sleep(120)
        assert await boots(azure) == 4

    run_story(story, [linux_vm(properties=DIAGNOSED), free_disk("next", _reboots_after_s=20)])


def test_each_disk_of_a_version_reboots_once() -> None:
    """Copies inherit the key, also after a guest from another copy has rebooted."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", RUNNING)
        for number, name in enumerate(("one", "two"), start=1):
            creation = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION1}}
            body = {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "properties": {"creationData": creation}}
            await azure.finish(await azure.arm("PUT", free_disk(name)["id"], body))
            await swapped(azure, name)
            assert await boots(azure) == 1 + 2 * number

    scenario = [*gallery(), linux_vm(properties=DIAGNOSED)]
    scenario[2]["_reboots_after_s"] = 20
    run_story(story, scenario)


@pytest.mark.parametrize("act", ["deallocate", "restart"])
def test_a_reboot_does_not_happen_after_the_guest_has_stopped(act: str) -> None:
    """A stop or restart before its time cancels the reboot."""

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "resources", [{"id": VM1, "_reboots_after_s": 300}])
        await azure.finish(await azure.arm("POST", f"{VM1}/{act}"))
        booted = await boots(azure)
        await asyncio.sleep(600)
        assert await boots(azure) == booted

    run_story(story, [linux_vm(properties=DIAGNOSED)])


def test_a_guest_can_fail_to_come_back() -> None:
    """The reboot boots from the disk as it is then: from a bad disk the guest stays down, the VM runs."""

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "resources", [{"id": VM1, "_reboots_after_s": 30}])
        await azure.sim("POST", "faults", [{"disk": "*", "boots": False, "serial": "panic"}])
        await asyncio.sleep(60)
        assert "Kernel panic" in await log(azure)
        assert await azure.power() == "PowerState/running"
        await asyncio.sleep(600)
        assert (await agent(azure))[0] == "Not Ready"

    run_story(story, [linux_vm(properties=DIAGNOSED)])


def test_resource_health_stays_available_and_names_the_reboot() -> None:
    """The annotation appears a minute late and ends when the guest is up."""

    async def shown(azure: Azure) -> tuple[str, str, bool]:
        properties = (await azure.arm("GET", HEALTH)).body["properties"]
        return properties["availabilityState"], properties["reasonType"], "from within" in properties["summary"]

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{**RUNNING[0], "takes_s": 300}])
        await azure.sim("PUT", "resources", [{"id": VM1, "_reboots_after_s": 10}])
        await asyncio.sleep(40)
        assert await shown(azure) == ("Available", "", False)
        await asyncio.sleep(60)
        assert await shown(azure) == ("Available", "Customer Initiated", True)
        await asyncio.sleep(300)
        assert await shown(azure) == ("Available", "", False)

    run_story(story, [linux_vm()])


BAD: dict[str, tuple[Json, Any]] = {
    "text on a VM": (linux_vm(), "soon"),
    "a negative time on a disk": (free_disk("next"), -1),
    "a VM that is stopped": (linux_vm(_power="stopped"), 30),
}


@pytest.mark.parametrize("case", BAD)
def test_an_invalid_reboot_is_refused(case: str) -> None:
    """The answer is 400 and names the key."""
    body, value = BAD[case]

    async def story(azure: Azure) -> None:
        reply = await azure.sim("PUT", "resources", [{"id": body["id"], "_reboots_after_s": value}])
        assert (reply.status, "_reboots_after_s" in reply.message) == (400, True)

    run_story(story, [body])
