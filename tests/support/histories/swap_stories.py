"""The stories whose histories are stored: one for every path through an orchestration.

Decides what happens in those about swaps; `image_stories.py` has the others. Leaves the recording to `recorder.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.records.durable_names import swap_id
from tests.support.histories.image_stories import IMAGE_STORIES
from tests.support.histories.recorded_story import RecordedStory, Story, failing_once
from tests.support.worlds.builders import VERSION_ID, VM_ID, disk_id
from tests.support.worlds.hanging import hanging
from tests.support.worlds.local_azure import LocalAzure, disk_body, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body, vm_id

FLEET = [
    vm_body(),
    disk_body("web01-new"),
    disk_body("web01-bad", creationData={"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}),
    *gallery_bodies({"RefreshPersonalizes": "true", "RefreshAgent": "true"}),
    version_body(),
]
BAD = {"disk": "*-bad", "boots": False}
LOOK = {"look": "look-1"}


def fails(operation: str, code: str = "InternalExecutionError", times: int = 99) -> dict[str, Any]:
    match = {"operation": operation, "resource": "*web01"}
    return {"match": match, "times": times, "fail": {"code": code, "message": "planned"}}


def tag(**tags: str) -> Story:
    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([BAD])
        await azure.tag(VM_ID, **tags)
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        await azure.settled()

    return story


def tag_with_faults(*faults: dict[str, Any], wish: str = "web01-new") -> Story:
    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([*faults])
        await tag(OsDiskName=wish)(azure)

    return story


async def refused(azure: LocalAzure) -> None:
    """The intent cannot be written: the VM is not stopped."""
    await azure.tag(VM_ID, OsDiskName="web01-new")
    body = {"error": {"code": "AuthorizationFailed", "message": "planned"}}
    match = {"method": "PATCH", "path": ".*/tags/default"}
    azure.simulator.services.faults.add([{"match": match, "respond": {"status": 403, "body": body}}])
    await azure.until(lambda: bool(azure.outcomes()))


async def nothing_to_do(azure: LocalAzure) -> None:
    """Right before downtime the wish is gone; then a swap starts whose claim ended long ago."""
    row = {"vm": VM_ID, "decision": "swap", "reason": "wanted", "message": "", "wanted": disk_id("web01-new")}
    azure.hub.wrap_worker(hanging("look"))
    for operation, data in (("hint", {"vms": [VM_ID]}), ("take", LOOK), ("decided", {**LOOK, "decisions": [row]})):
        azure.hub.signal("@dispatcher@app", operation, {**data, "at": azure.clock.now().isoformat()})
    await azure.until(lambda: bool(azure.outcomes()))
    azure.hub.start("swap_vm", {"vm": VM_ID, "n": 1}, "swap-0-1")
    await azure.hub.completed("swap-0-1")


async def started_again(azure: LocalAzure) -> None:
    """A swap's start arrives once more after its end; the second run asks for the outcome of the first."""
    await azure.tag(VM_ID, OsDiskName="web01-new")
    await azure.settled()
    run = str(azure.outcomes()[0]["run"])
    azure.hub.start("swap_vm", {"vm": VM_ID, "n": int(run.rpartition("-")[2]), "bounded": True}, run)
    await azure.hub.completed(run)


async def way_back_fails(azure: LocalAzure) -> None:
    """The new disk does not boot, and Azure refuses to replace it."""
    azure.simulator.services.faults.add([BAD])
    await azure.tag(VM_ID, OsDiskName="web01-bad")

    async def on_the_bad_disk() -> bool:
        return await azure.os_disk(VM_ID) == "web01-bad"

    await azure.until(on_the_bad_disk)
    azure.simulator.services.faults.add([fails("update")])
    await azure.until(lambda: bool(azure.outcomes()), within_s=36000)


async def _killed_at(azure: LocalAzure, wish: str, step: str, *faults: dict[str, Any]) -> None:
    await azure.tag(VM_ID, OsDiskName=wish)
    azure.simulator.services.faults.add([BAD, *faults])

    def reached() -> bool:
        return any(str(row.get("step", "")).startswith(step) for row in azure.running_swaps())

    await azure.until(reached)
    await asyncio.sleep(3)
    for name, instance in list(azure.hub.orchestrations.instances.items()):
        if not instance.ended and name.startswith("swap-"):
            azure.hub.terminate(name)
    while not azure.outcomes():
        await asyncio.sleep(301)
        await azure.fire("sweep")
        await asyncio.sleep(90)
    await azure.settled()


async def recovered(azure: LocalAzure) -> None:
    """The swap's orchestration is terminated while the VM is down; a recovery continues the swap."""
    await _killed_at(azure, "web01-new", "new-disk")


async def recovered_on_the_way_back(azure: LocalAzure) -> None:
    """The same on the way back: the recovery continues the way back."""
    await _killed_at(azure, "web01-bad", "undo-")


async def recovered_before_downtime(azure: LocalAzure) -> None:
    """The same between intent and stop: the recovery begins with the intent's tags."""
    busy = {"status": 503, "headers": {"Retry-After": "30"}, "body": {"error": {"code": "Busy", "message": "planned"}}}
    match = {"method": "PATCH", "path": ".*/tags/default"}
    await _killed_at(azure, "web01-new", "intent", {"match": match, "times": 1, "respond": busy})


async def revived(azure: LocalAzure) -> None:
    """Only the tag shows that a swap stopped this VM."""
    await azure.fire("sweep")
    await azure.until(lambda: bool(azure.outcomes()))
    await azure.settled()


async def put_on_hold(azure: LocalAzure) -> None:
    """A person puts the VM on hold while it is stopped."""
    await azure.tag(VM_ID, OsDiskName="web01-new")
    await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
    await azure.tag(VM_ID, AutoRefresh="hold")
    await azure.until(lambda: bool(azure.outcomes()))


async def gone(azure: LocalAzure) -> None:
    """The VM is deleted during its swap."""
    await azure.tag(VM_ID, OsDiskName="web01-new")
    await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
    azure.simulator.remove_resources([VM_ID])
    await azure.until(lambda: bool(azure.outcomes()))


def proved_later(disk: str) -> Story:
    """A stopped VM is swapped; its owner starts it, and the sweep starts the proof of its disk."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([BAD])
        await azure.tag(VM_ID, OsDiskName=disk)
        await azure.settled()
        await azure.arm("POST", f"{VM_ID}/start")
        await asyncio.sleep(60)
        await azure.fire("sweep")
        await azure.until(lambda: len(azure.outcomes()) > 1)
        await azure.settled()

    return story


async def busy_look(azure: LocalAzure) -> None:
    """A hint every few seconds while a look takes longer: one look handles them all."""
    azure.simulator.services.faults.add([{"match": {"method": "GET", "path": "/virtualMachines/web01"}, "delay_s": 5}])
    for _ in range(12):
        azure.hub.signal("@dispatcher@app", "hint", {"vms": [VM_ID], "at": azure.clock.now().isoformat()})
        await asyncio.sleep(4)
    await azure.settled()


async def many(azure: LocalAzure) -> None:
    """Two VMs swapped by one request: one succeeds, one does not exist."""
    wishes = {"vms": [VM_ID, vm_id("nobody")], "disk": "web01-new"}
    await azure.hub.completed(azure.hub.start("swap_vms", wishes, "swaps-202611-00000000"))
    await azure.settled()


async def self_check(azure: LocalAzure) -> None:
    """Every part of the platform runs once."""
    await azure.hub.completed(azure.hub.start("selfcheck", {}, "selfcheck-202611-00000000"))
    await azure.settled()


async def app_fails(azure: LocalAzure) -> None:
    """An activity raises once and is called again."""
    azure.hub.wrap_worker(failing_once("ensure_os_disk"))
    await tag(OsDiskName="web01-new")(azure)


STATE: dict[str, Any] = {"RefreshState": write_intent_tag(swap_id(VM_ID, 1), True, "web01-old", "web01-new")}
SHORT = {"REFRESH_CAPACITY_TIMEOUT_S": "600"}


def _swap(name: str, which: int = 0) -> dict[str, tuple[tuple[int, str], ...]]:
    return {"swap_vm": ((which, name),)}


def _recorded(
    story: Story,
    kept: Mapping[str, tuple[tuple[int, str], ...]],
    fleet: list[dict[str, Any]] = FLEET,
    settings: Mapping[str, str] | None = None,
) -> RecordedStory:
    return RecordedStory(story, kept, fleet, settings or {})


STORIES = (
    _recorded(tag(OsDiskName="web01-new"), {**_swap("succeeded"), "look": ((0, "swap"), (1, "nothing left"))}),
    _recorded(tag(OsDiskName="web01-bad"), _swap("rolled back")),
    _recorded(tag(OsDiskName="web01-new"), _swap("not proven"), fleet=[vm_body(agent=False), *FLEET[1:]]),
    _recorded(tag(OsDiskName="web01-new"), _swap("not running"), fleet=[vm_body(power="deallocated"), *FLEET[1:]]),
    _recorded(tag(OsDiskName="web01-new", RefreshStopMode="power-off"), _swap("powered off")),
    _recorded(tag(OsDiskName="web01-new"), _swap("with notice"), settings={"REFRESH_NOTICE_S": "120"}),
    _recorded(app_fails, _swap("app fails")),
    _recorded(refused, _swap("refused")),
    _recorded(nothing_to_do, {"swap_vm": ((0, "skipped"), (1, "not claimed"))}),
    _recorded(started_again, _swap("started again", 1)),
    _recorded(tag_with_faults(fails("update")), _swap("disk refused")),
    _recorded(tag_with_faults(fails("start")), _swap("needs attention")),
    _recorded(tag_with_faults(fails("start", "AllocationFailed")), _swap("no capacity"), settings=SHORT),
    _recorded(way_back_fails, _swap("way back fails")),
    _recorded(tag_with_faults({"match": {"operation": "start"}, "duration_s": 700}), _swap("start takes long")),
    _recorded(recovered, _swap("recovered", 1)),
    _recorded(recovered_on_the_way_back, _swap("recovered on the way back", 1)),
    _recorded(recovered_before_downtime, _swap("recovered before downtime", 1)),
    _recorded(revived, _swap("revived"), fleet=[vm_body(power="deallocated", **STATE), *FLEET[1:]]),
    _recorded(put_on_hold, _swap("put on hold")),
    _recorded(gone, _swap("gone")),
    _recorded(proved_later("web01-new"), _swap("proved later", 1), fleet=[vm_body(power="deallocated"), *FLEET[1:]]),
    _recorded(proved_later("web01-bad"), _swap("proof failed", 1), fleet=[vm_body(power="deallocated"), *FLEET[1:]]),
    _recorded(busy_look, {"look": ((0, "busy"), (1, "busy, continued"))}),
    _recorded(many, {"swap_vms": ((0, "with a disk"),)}),
    _recorded(self_check, {"selfcheck": ((0, "passed"),), "answer_selfcheck": ((0, "answered"),)}),
    *IMAGE_STORIES,
)
