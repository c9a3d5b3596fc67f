"""A disk whose image version is deleted or cannot be read goes to no VM but one that has run it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.worlds.builders import VERSION_ID, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body, vm_id
from tests.support.worlds.swap_world import assert_well

DENIED = {"error": {"code": "AuthorizationFailed", "message": "planned"}}


def from_version(name: str) -> dict[str, Any]:
    """A free disk that was made from the version."""
    origin = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}
    return disk_body(name, creationData=origin)


@pytest.mark.parametrize("how", ["deleted", "unreadable"])
def test_a_disk_without_its_version_goes_to_no_other_vm(how: str) -> None:
    """The VM that ran the disk gets it back; another is refused before downtime, and the message has the cure."""

    async def story(azure: LocalAzure) -> None:
        for disk in ("web01-a", "web01-b"):
            await azure.tag(VM_ID, OsDiskName=disk)
            await azure.settled()
        if how == "deleted":
            await azure.arm("DELETE", VERSION_ID)
            await azure.until(lambda: not list(azure.simulator.resources(resource_id=VERSION_ID)))
        else:
            unreadable = {"method": "GET", "path": "/versions/"}
            azure.simulator.services.faults.add([{"match": unreadable, "respond": {"status": 403, "body": DENIED}}])
        await azure.tag(vm_id("web02"), OsDiskName="web02-a")
        await azure.tag(VM_ID, OsDiskName="web01-a")
        await azure.settled()
        await assert_well(azure, "web01-a", stops=3)
        await assert_well(azure, "web02-old", stops=0, vm=vm_id("web02"))
        _, shown = await azure.api("GET", "/api/vms?vm=web02")
        reason = "image-deleted" if how == "deleted" else "rights-missing"
        assert (shown["decision"], shown["reason"]) == ("refuse", reason), shown

    fleet = [vm_body(), vm_body("web02"), *map(from_version, ("web01-a", "web01-b", "web02-a"))]
    play(story, [*gallery_bodies(), version_body(VERSION_ID), *fleet])
