"""A VM made over ARM: image, network interface, custom data, and the deletion of its group."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from simulator.arm.guests.cloud_init import read_custom_data
from simulator.arm.state.marketplace import IMAGES
from tests.unit.simulator.arm.azure import COMPUTE, GROUP, SUB, Azure, Json, run_story

NETWORK = f"{GROUP}/providers/Microsoft.Network"
SUBNET = f"{NETWORK}/virtualNetworks/net/subnets/a"
NIC = f"{NETWORK}/networkInterfaces/nic"
MADE = f"{COMPUTE}/virtualMachines/made"
WORLD: list[Json] = [
    {"id": f"{NETWORK}/virtualNetworks/net", "location": "westeurope", "properties": {"subnets": [{"name": "a"}]}}
]
SKUS = (
    f"/subscriptions/{SUB}/providers/Microsoft.Compute/locations/westeurope/publishers/Canonical/artifacttypes/vmimage"
)
VERSIONS = f"{SKUS}/offers/ubuntu-24_04-lts/skus/server/versions"
SCRIPT = """#!/bin/sh
if true; then
  printf '\\nALL WELL\\n' >/dev/ttyS0
else
  echo "NOT WELL" >"/dev/console"
fi
systemctl poweroff
"""


def nic_body(subnet: str = SUBNET, location: str = "westeurope") -> Json:
    configuration = {"name": "a", "properties": {"subnet": {"id": subnet}}}
    return {"location": location, "properties": {"ipConfigurations": [configuration]}}


def vm_body(script: str = SCRIPT, **profile: Any) -> Json:
    image = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    linux = {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [{"path": "p", "keyData": "ssh-rsa AAAA"}]}}
    os_profile = {
        "computerName": "made",
        "adminUsername": "ops",
        "customData": base64.b64encode(script.encode()).decode(),
        "linuxConfiguration": linux,
        **profile,
    }
    properties = {
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {"imageReference": image},
        "networkProfile": {"networkInterfaces": [{"id": NIC}]},
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        "osProfile": os_profile,
    }
    return {"location": "westeurope", "properties": properties}


async def made(azure: Azure, body: Json | None = None) -> None:
    await azure.arm("PUT", NIC, nic_body())
    await azure.finish(await azure.arm("PUT", MADE, body or vm_body()))


async def serial_log(azure: Azure) -> str:
    links = (await azure.arm("POST", f"{MADE}/retrieveBootDiagnosticsData")).body
    async with azure.http.get(links["serialConsoleLogBlobUri"]) as answer:
        return await answer.text()


def test_custom_data_writes_on_the_console_and_powers_the_vm_off() -> None:
    """The serial log has the output of the script, then the VM is stopped; no answer of ARM has the custom data."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"cloudInit": "made", "takes_s": 30}])
        await made(azure)
        assert await azure.power("made") == "PowerState/running"
        await asyncio.sleep(31)
        assert await azure.power("made") == "PowerState/stopped"
        log = await serial_log(azure)
        assert log.rstrip().endswith("ALL WELL")
        assert "NOT WELL" not in log
        profile = (await azure.vm("made"))["properties"]["osProfile"]
        assert "customData" not in profile
        assert (await azure.arm("POST", f"{MADE}/generalize")).status == 200

    run_story(story, WORLD)


@pytest.mark.parametrize(("ends", "line"), [("failed", "NOT WELL"), ("silent", None), ("never", None)])
def test_custom_data_can_fail_end_silently_or_never_end(ends: str, line: str | None) -> None:
    """Failed custom data writes its error line, silent writes nothing; when it never ends, the VM keeps running."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"cloudInit": "made", "ends": ends, "takes_s": 1}])
        await made(azure)
        await asyncio.sleep(3600)
        assert await azure.power("made") == ("PowerState/running" if ends == "never" else "PowerState/stopped")
        log = await serial_log(azure)
        assert "ALL WELL" not in log
        assert line is None or line in log

    run_story(story, WORLD)


def test_a_new_vm_with_an_invalid_model_is_refused() -> None:
    """Refused: no SSH key, no base64 in custom data, no plan, an OS profile beside an attached disk, a used disk."""

    async def story(azure: Azure) -> None:
        await azure.arm("PUT", NIC, nic_body())
        for profile, part in (
            ({"linuxConfiguration": {"disablePasswordAuthentication": True}}, "Authentication using either SSH"),
            ({"customData": "not base64!"}, "Base64"),
        ):
            refused = await azure.arm("PUT", MADE, vm_body(**profile))
            assert (refused.status, refused.code) == (400, "InvalidParameter")
            assert part in refused.message
        sold = vm_body()
        sold["properties"]["storageProfile"]["imageReference"] = {
            "publisher": "resf",
            "offer": "rockylinux-x86_64",
            "sku": "9-base",
            "version": "latest",
        }
        refused = await azure.arm("PUT", MADE, sold)
        assert (refused.status, refused.code) == (400, "VMMarketplaceInvalidInput")
        plan = {"publisher": "resf", "product": "rockylinux-x86_64", "name": "9-base"}
        assert (await azure.arm("PUT", MADE, {**sold, "plan": plan})).status == 201
        attached = vm_body()
        disk = {"createOption": "Attach", "osType": "Linux", "managedDisk": {"id": f"{COMPUTE}/disks/gone"}}
        attached["properties"]["storageProfile"] = {"osDisk": disk}
        other = f"{COMPUTE}/virtualMachines/other"
        assert "osProfile" in (await azure.arm("PUT", other, attached)).message
        del attached["properties"]["osProfile"]
        assert (await azure.arm("PUT", other, attached)).status == 404
        vm = await azure.vm("made")
        disk["managedDisk"] = vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]
        taken = await azure.arm("PUT", other, attached)
        assert (taken.status, taken.code) == (409, "ConflictingUserInput")

    run_story(story, WORLD)


def test_an_interface_needs_a_subnet_in_its_region_and_stays_while_a_vm_uses_it() -> None:
    """An unknown subnet or another region is refused; the address stays; an interface in use is not deleted."""

    async def story(azure: Azure) -> None:
        for subnet, location in ((f"{SUBNET}x", "westeurope"), (SUBNET, "uksouth")):
            refused = await azure.arm("PUT", NIC, nic_body(subnet, location))
            assert (refused.status, refused.code) == (400, "InvalidResourceReference")
        first = await azure.arm("PUT", NIC, nic_body())
        second = await azure.arm("PUT", NIC, nic_body())
        assert (first.status, second.status) == (201, 200)
        address = first.body["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
        assert address.startswith("10.")
        assert second.body["properties"] == first.body["properties"]
        await made(azure)
        assert (await azure.arm("DELETE", NIC)).code == "NicInUse"

    run_story(story, WORLD)


def test_marketplace_images_are_listed_and_read() -> None:
    """The list is a bare array with `$top` and `$orderby`; one version has OS type, generation and architecture."""

    async def story(azure: Azure) -> None:
        listed = await azure.arm("GET", VERSIONS)
        newest = await azure.arm("GET", f"{VERSIONS}?$top=1&$orderby=name%20desc")
        assert isinstance(listed.body, list)
        assert [each["name"] for each in listed.body] == list(IMAGES[0].versions)
        assert [each["name"] for each in newest.body] == [IMAGES[0].versions[-1]]
        one = (await azure.arm("GET", f"{VERSIONS}/{IMAGES[0].versions[0]}")).body
        assert one["properties"]["osDiskImage"]["operatingSystem"] == "Linux"
        assert (one["properties"]["hyperVGeneration"], one["properties"]["architecture"]) == ("V2", "x64")
        for path in (f"{VERSIONS}/1.2.3", VERSIONS.replace("server/", "nothing/")):
            missing = await azure.arm("GET", path)
            assert (missing.status, missing.code) == (404, "NotFound")

    run_story(story, WORLD)


def test_a_group_is_deleted_with_its_resources_and_refuses_writes_meanwhile() -> None:
    """A delete gives 202, then `Deleting`, then 404; writes are refused; a lock on one resource blocks it."""

    async def story(azure: Azure) -> None:
        await made(azure)
        lock = f"{NIC}/providers/Microsoft.Authorization/locks/keep"
        await azure.arm("PUT", lock, {"properties": {"level": "CanNotDelete"}})
        assert (await azure.arm("DELETE", GROUP)).code == "ScopeLocked"
        await azure.arm("DELETE", lock)
        assert (await azure.arm("DELETE", GROUP)).status == 202
        assert (await azure.arm("GET", GROUP)).body["properties"]["provisioningState"] == "Deleting"
        refused = await azure.arm("PUT", NIC, nic_body())
        assert (refused.status, refused.code) == (409, "ResourceGroupBeingDeleted")
        await asyncio.sleep(3600)
        gone = await azure.arm("GET", GROUP)
        assert (gone.status, gone.code) == (404, "ResourceGroupNotFound")
        assert (await azure.arm("GET", NIC)).status == 404

    run_story(story, WORLD)


@pytest.mark.parametrize(
    ("text", "powers_off", "lines"),
    [
        ("#cloud-config\npower_state: {mode: poweroff}\n", True, ()),
        ("#cloud-config\nruncmd:\n  - [poweroff]\n", True, ()),
        ("#!/bin/sh\necho 'hi' > /dev/console\nshutdown -h now\n", True, ("hi",)),
        ("#!/bin/sh\necho 'hi' > /tmp/file\n", False, ()),
    ],
)
def test_cloud_init_reads_console_lines_and_power_off(text: str, powers_off: bool, lines: tuple[str, ...]) -> None:
    """It finds the documented ways to power off, and output to a console but not to a file."""
    found = read_custom_data(base64.b64encode(text.encode()).decode(), "ok")
    assert found is not None
    assert (found.powers_off, found.lines) == (powers_off, lines)
