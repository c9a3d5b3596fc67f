"""A swap of `web01` to a disk of an image version, in which one rejection would quarantine the version.

Decides what must hold when only other people and Azure are at fault. Leaves the story to the tests.
"""

from __future__ import annotations

from typing import Any

from tests.support.worlds.builders import VERSION_ID, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body

FROM = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}
# One rollback with blame would quarantine the version.
STRICT = {"REFRESH_QUARANTINE_AFTER": "1"}
SLOW_BOOT = {"disk": "web01-new", "boots": True, "takes_s": 250}


def fleet(**vm: Any) -> list[dict[str, Any]]:
    """`web01`, and a disk for it from an image version."""
    return [*gallery_bodies(), version_body(VERSION_ID), {**vm_body(), **vm}, disk_body("web01-new", creationData=FROM)]


async def assert_no_blame(azure: LocalAzure) -> None:
    """Assert that no disk is rejected and no version quarantined."""
    assert not azure.dispatcher_state().get("rejected"), azure.dispatcher_state()["rejected"]
    assert "OsDiskRejected" not in (await azure.vm(VM_ID))["tags"]
    if azure.simulator.services.store.get(VERSION_ID) is not None:
        assert "RefreshQuarantined" not in (await azure.arm("GET", VERSION_ID)).get("tags", {})


async def assert_may_be_requested_again(azure: LocalAzure) -> None:
    """Assert that the same disk is swapped in when its tag is written again."""
    azure.simulator.services.faults.clear()
    await azure.tag(VM_ID, OsDiskName="web01-new")
    await azure.settled()
    assert azure.outcomes()[-1]["status"] == "succeeded", azure.outcomes()[-1]
    assert await azure.os_disk(VM_ID) == "web01-new"
