"""VMs that have left the dispatcher's state: what the entity `vm_memory` has about them counts as before."""

from __future__ import annotations

import asyncio
from typing import Any

from refresh.domain.terms.resource_id import id_hash
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body


def remember(azure: LocalAzure, **contents: Any) -> None:
    """Have `vm_memory` keep something about the VM, as the dispatcher does."""
    vm_hash = id_hash(VM_ID)
    azure.hub.signal(f"@vm_memory@{vm_hash[:2]}", "keep", {"n": 1, "at": None, "vms": {vm_hash: contents}})


def test_a_disk_that_a_vm_ran_long_ago_may_be_smaller() -> None:
    """A way back stays possible: in the record of the VM, in the look and right before downtime."""

    async def story(azure: LocalAzure) -> None:
        path = f"/api/vms?vm={VM_ID}"
        await azure.tag(VM_ID, OsDiskName="web01-small")
        await azure.settled()
        assert (await azure.api("GET", path))[1]["reason"] == "disk-too-small"
        assert azure.outcomes() == []
        remember(azure, ran=[id_hash(disk_id("web01-small"))])
        await asyncio.sleep(5)
        assert (await azure.api("GET", path))[1]["decision"] == "swap"
        azure.hub.signal("@dispatcher@app", "hint", {"vms": [VM_ID], "at": azure.clock.now().isoformat()})
        await azure.settled()
        assert [(row["status"], row["reason"]) for row in azure.outcomes()] == [("succeeded", "verified")]
        assert await azure.os_disk(VM_ID) == "web01-small"

    play(story, [vm_body(), disk_body("web01-small", diskSizeGB=10)])


def test_the_notes_about_many_stopped_vms_leave_the_dispatcher_and_each_vm_is_proved() -> None:
    """Of 13 VMs swapped while stopped ten stay in the state; one of the others runs, is found by a sweep and proved."""
    names = [f"web{number:02}" for number in range(1, 14)]
    ids = {name: VM_ID.replace("web01", name) for name in names}

    async def story(azure: LocalAzure) -> None:
        for vm_id in ids.values():
            await azure.tag(vm_id, OsDiskName=vm_id.rsplit("/", 1)[-1] + "-new")
        await azure.settled()
        for _ in range(4):
            await asyncio.sleep(301)
            await azure.fire("sweep")
            await azure.settled()
        kept = azure.dispatcher_state()["unproven"]
        moved = [name for name, vm_id in ids.items() if vm_id.lower() not in kept]
        assert (len(kept), len(moved)) == (10, 3)
        await azure.arm("POST", f"{ids[moved[0]]}/start")
        await asyncio.sleep(60)
        await azure.fire("sweep")
        await azure.settled()
        ended = [(row["vm"], row["status"], row["reason"]) for row in azure.outcomes()[13:]]
        assert ended == [(ids[moved[0]], "succeeded", "verified")]
        await azure.fire("sweep")
        await azure.settled()
        assert len(azure.outcomes()) == 14, "a VM is proved once"

    bodies = [vm_body(name, power="deallocated") for name in names]
    play(story, [*bodies, *(disk_body(f"{name}-new") for name in names)])
