"""A VM whose OS disk others have changed, and what must hold about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.swap_world import assert_well, power_is, runs_on, swapped, sweep_for

FLEET = [vm_body(), disk_body("web01-new"), disk_body("web01-next"), disk_body("web01-restored")]


async def until_accepted(azure: LocalAzure, method: str, path: str, body: Any = None) -> None:
    """Send a request as other tools do: again while another operation on the VM is under way.

    https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-conflict
    """
    for _ in range(200):
        try:
            await azure.arm(method, path, body)
        except AssertionError as error:
            if ": 409 " not in f"{error}":
                raise
            await asyncio.sleep(3)
        else:
            return
    raise AssertionError(f"{method} {path} was refused for too long")


async def restore(azure: LocalAzure, disk: str = "web01-restored") -> None:
    """Stop the VM, replace its OS disk, start it: the requests of a restore, of `az vm repair restore`, of the portal.

    https://learn.microsoft.com/azure/backup/backup-azure-arm-restore-vms#replace-existing-disks
    https://github.com/Azure/azure-cli-extensions/blob/main/src/vm-repair/azext_vm_repair/custom.py
    """
    await until_accepted(azure, "POST", f"{VM_ID}/deallocate")
    await power_is(azure, "deallocated")
    os_disk = {"name": disk, "managedDisk": {"id": disk_id(disk)}}
    await until_accepted(azure, "PATCH", VM_ID, {"properties": {"storageProfile": {"osDisk": os_disk}}})
    await until_accepted(azure, "POST", f"{VM_ID}/start")
    await runs_on(azure, disk)


async def refused(azure: LocalAzure) -> dict[str, Any]:
    """The only refusal that was published."""
    found = [row["event"] for row in azure.simulator.published() if row["event"]["type"] == "refresh.swap.refused"]
    assert len(found) == 1, found
    return dict(found[0]["data"])


async def assert_left_alone(azure: LocalAzure, disk: str, *, tag: str, stops: int) -> None:
    """The VM keeps `disk` through sweeps and events; one refusal is published, and `GET /api/vms` shows it."""
    await azure.settled()
    await sweep_for(azure, 3)
    await azure.tag(VM_ID, Owner="team-a")
    await azure.settled()
    await assert_well(azure, disk, stops=stops)
    event = await refused(azure)
    assert (event["vm"].lower(), event["status"], event["reason"]) == (VM_ID.lower(), "refused", "changed-by-others")
    assert tag in event["message"]
    assert disk in event["message"]
    assert "/api/adopt" in event["message"]
    _, listed = await azure.api("GET", "/api/vms?vm=web01")
    shown = (listed["decision"], listed["reason"], listed["current"], listed["wanted"])
    assert shown == ("refuse", "changed-by-others", disk, tag)


def restored(story: Callable[[LocalAzure], Awaitable[None]]) -> None:
    """Play `story` from two weeks after the swap to `web01-new` on, when the VM has just been restored."""

    async def whole(azure: LocalAzure) -> None:
        assert (await swapped(azure))["status"] == "succeeded"
        await asyncio.sleep(14 * 86400)
        await restore(azure)
        await story(azure)

    play(whole, FLEET)
