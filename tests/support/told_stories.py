"""The stories whose histories are kept: every shape an orchestration can take, each told once.

Decides what happens in each. Refuses to know how it is written down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.intent_tag import write_intent_tag
from refresh.messages import swap_id
from simulator.durable import FunctionFailed, Worker
from tests.support.builders import VERSION_ID, VM_ID, disk_id
from tests.support.local_azure import LocalAzure, disk_body, vm_body
from tests.support.month_world import gallery_bodies, version_body, vm_bodies, vm_id

FLEET = [
    vm_body(),
    disk_body("web01-new"),
    disk_body("web01-bad", creationData={"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}),
    *gallery_bodies({"RefreshPersonalizes": "true", "RefreshAgent": "true"}),
    version_body(),
]
BAD = {"disk": "*-bad", "boots": False}
Tale = Callable[[LocalAzure], Awaitable[None]]


@dataclass(frozen=True)
class Told:
    """A story and which of its executions are kept: `orchestration -> (which one, from 0, under what name)`."""

    tale: Tale
    kept: Mapping[str, tuple[tuple[int, str], ...]]
    fleet: list[dict[str, Any]] = field(default_factory=lambda: FLEET)
    settings: Mapping[str, str] = field(default_factory=dict)


def fails(operation: str, code: str = "InternalExecutionError", times: int = 99) -> dict[str, Any]:
    match = {"operation": operation, "resource": "*web01"}
    return {"match": match, "times": times, "fail": {"code": code, "message": "planned"}}


def tag(**tags: str) -> Tale:
    async def tale(azure: LocalAzure) -> None:
        azure.simulator.plane.faults.add([BAD])
        await azure.tag(VM_ID, **tags)
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        await azure.settled()

    return tale


def tag_amid(*faults: dict[str, Any], wish: str = "web01-new") -> Tale:
    async def tale(azure: LocalAzure) -> None:
        azure.simulator.plane.faults.add([*faults])
        await tag(OsDiskName=wish)(azure)

    return tale


async def refused(azure: LocalAzure) -> None:
    """The intent cannot be written: nothing is stopped."""
    await azure.tag(VM_ID, OsDiskName="web01-new")
    body = {"error": {"code": "AuthorizationFailed", "message": "planned"}}
    match = {"method": "PATCH", "path": ".*/tags/default"}
    azure.simulator.plane.faults.add([{"match": match, "respond": {"status": 403, "body": body}}])
    await azure.until(lambda: bool(azure.outcomes()))


async def nothing_to_do(azure: LocalAzure) -> None:
    """Right before downtime the wish is gone; and a start of a swap that is long over."""
    row = {"vm": VM_ID, "decision": "swap", "reason": "wanted", "message": "", "wanted": disk_id("web01-new")}
    azure.hub.signal("@dispatcher@app", "decided", {"decisions": [row], "at": azure.clock.now().isoformat()})
    await azure.until(lambda: bool(azure.outcomes()))
    azure.hub.start("swap_vm", {"vm": VM_ID, "n": 1}, "swap-0-1")
    await azure.hub.completed("swap-0-1")


async def way_back_fails(azure: LocalAzure) -> None:
    """The new disk does not boot, and Azure does not take it out again."""
    azure.simulator.plane.faults.add([BAD])
    await azure.tag(VM_ID, OsDiskName="web01-bad")

    async def on_the_bad_disk() -> bool:
        return await azure.os_disk(VM_ID) == "web01-bad"

    await azure.until(on_the_bad_disk)
    azure.simulator.plane.faults.add([fails("update")])
    await azure.until(lambda: bool(azure.outcomes()), within_s=36000)


async def _killed_at(azure: LocalAzure, wish: str, step: str, *faults: dict[str, Any]) -> None:
    await azure.tag(VM_ID, OsDiskName=wish)
    azure.simulator.plane.faults.add([BAD, *faults])

    def reached() -> bool:
        return any(str(row.get("step", "")).startswith(step) for row in azure.book().get("running", {}).values())

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
    """The swap's orchestration is ended from outside while the VM is down; a recovery takes it up."""
    await _killed_at(azure, "web01-new", "new-disk")


async def recovered_on_the_way_back(azure: LocalAzure) -> None:
    """The same on the way back: the recovery goes on with the way back."""
    await _killed_at(azure, "web01-bad", "undo-")


async def recovered_before_downtime(azure: LocalAzure) -> None:
    """The same between intent and stop: the recovery begins with the intent's tags."""
    busy = {"status": 503, "headers": {"Retry-After": "30"}, "body": {"error": {"code": "Busy", "message": "planned"}}}
    match = {"method": "PATCH", "path": ".*/tags/default"}
    await _killed_at(azure, "web01-new", "intent", {"match": match, "times": 1, "respond": busy})


async def revived(azure: LocalAzure) -> None:
    """Only the tag tells that a swap stopped this VM."""
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
    """Somebody deletes the VM while it is being swapped."""
    await azure.tag(VM_ID, OsDiskName="web01-new")
    await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))
    azure.simulator.remove([VM_ID])
    await azure.until(lambda: bool(azure.outcomes()))


def proved_later(disk: str) -> Tale:
    """A VM is swapped while it does not run; its owner starts it, and the sweep has its disk proved."""

    async def tale(azure: LocalAzure) -> None:
        azure.simulator.plane.faults.add([BAD])
        await azure.tag(VM_ID, OsDiskName=disk)
        await azure.settled()
        await azure.arm("POST", f"{VM_ID}/start")
        await asyncio.sleep(60)
        await azure.fire("sweep")
        await azure.until(lambda: len(azure.outcomes()) > 1)
        await azure.settled()

    return tale


async def busy_look(azure: LocalAzure) -> None:
    """A hint every few seconds while looks take longer than that: one look works them all off."""
    azure.simulator.plane.faults.add([{"match": {"method": "GET", "path": "/virtualMachines/web01"}, "delay_s": 5}])
    for _ in range(12):
        azure.hub.signal("@dispatcher@app", "hint", {"vms": [VM_ID], "at": azure.clock.now().isoformat()})
        await asyncio.sleep(4)
    await azure.settled()


async def many(azure: LocalAzure) -> None:
    """Two VMs swapped by one request: one succeeds, one does not exist."""
    wishes = {"vms": [VM_ID, vm_id("nobody")], "disk": "web01-new"}
    await azure.hub.completed(azure.hub.start("swap_vms", wishes, "swaps-202611-00000000"))
    await azure.settled()


async def month(azure: LocalAzure) -> None:
    """Everything in one month: an image, disks, tags and swaps, and one disk that does not boot."""
    azure.simulator.plane.faults.add([{"disk": "*/web02-2*", "boots": False}])
    await azure.hub.completed(azure.hub.start("refresh_month", {}, "month-202611-00000000"))
    await azure.settled()


async def slow_image(azure: LocalAzure) -> None:
    """Replication takes longer than an hour: the build waits in a second history."""
    slow = {"match": {"operation": "versionCreate"}, "duration_s": 4500}
    azure.simulator.plane.faults.add([slow])
    await azure.hub.completed(azure.hub.start("create_images", {}, "images-202611-00000000"))


async def failed_image(azure: LocalAzure) -> None:
    """Azure refuses the capture after a while, and says why."""
    failed = {"match": {"operation": "versionCreate"}, "fail": {"code": "SourceImageInvalid", "message": "planned"}}
    azure.simulator.plane.faults.add([failed])
    await azure.hub.completed(azure.hub.start("create_images", {}, "images-202611-00000000"))


async def self_check(azure: LocalAzure) -> None:
    """Every part of the platform runs once."""
    await azure.hub.completed(azure.hub.start("selfcheck", {}, "selfcheck-202611-00000000"))
    await azure.settled()


class Clumsy:
    """A worker whose `ensure_os_disk` raises the first time, as after a faulty deployment."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.orchestrate, self.operate = worker.orchestrate, worker.operate
        self._failed = False

    async def act(self, name: str, payload: str | None) -> str | None:
        """Run one activity, or fail."""
        if name == "ensure_os_disk" and not self._failed:
            self._failed = True
            raise FunctionFailed("ImportError", "planned")
        return await self._worker.act(name, payload)


async def app_fails(azure: LocalAzure) -> None:
    """An activity raises once: it is asked for again."""
    azure.hub.witness(Clumsy)
    await tag(OsDiskName="web01-new")(azure)


STATE: dict[str, Any] = {"RefreshState": write_intent_tag(swap_id(VM_ID, 1), True, "web01-old", "web01-new")}
_MONTH = [*gallery_bodies(), *vm_bodies("web01"), *vm_bodies("web02"), *vm_bodies("win01", os_type="Windows")]
SHORT = {"REFRESH_CAPACITY_TIMEOUT_S": "600"}


def _swap(name: str, which: int = 0) -> dict[str, tuple[tuple[int, str], ...]]:
    return {"swap_vm": ((which, name),)}


STORIES = (
    Told(tag(OsDiskName="web01-new"), {**_swap("succeeded"), "look": ((0, "swap"), (1, "nothing left"))}),
    Told(tag(OsDiskName="web01-bad"), _swap("rolled back")),
    Told(tag(OsDiskName="web01-new"), _swap("not proven"), fleet=[vm_body(agent=False), *FLEET[1:]]),
    Told(tag(OsDiskName="web01-new"), _swap("not running"), fleet=[vm_body(power="deallocated"), *FLEET[1:]]),
    Told(tag(OsDiskName="web01-new", RefreshStopMode="power-off"), _swap("powered off")),
    Told(tag(OsDiskName="web01-new"), _swap("with notice"), settings={"REFRESH_NOTICE_S": "120"}),
    Told(app_fails, _swap("app fails")),
    Told(refused, _swap("refused")),
    Told(nothing_to_do, {"swap_vm": ((0, "skipped"), (1, "not claimed"))}),
    Told(tag_amid(fails("update")), _swap("disk refused")),
    Told(tag_amid(fails("start")), _swap("needs attention")),
    Told(tag_amid(fails("start", "AllocationFailed")), _swap("no capacity"), settings=SHORT),
    Told(way_back_fails, _swap("way back fails")),
    Told(tag_amid({"match": {"operation": "start"}, "duration_s": 700}), _swap("start takes long")),
    Told(recovered, _swap("recovered", 1)),
    Told(recovered_on_the_way_back, _swap("recovered on the way back", 1)),
    Told(recovered_before_downtime, _swap("recovered before downtime", 1)),
    Told(revived, _swap("revived"), fleet=[vm_body(power="deallocated", **STATE), *FLEET[1:]]),
    Told(put_on_hold, _swap("put on hold")),
    Told(gone, _swap("gone")),
    Told(proved_later("web01-new"), _swap("proved later", 1), fleet=[vm_body(power="deallocated"), *FLEET[1:]]),
    Told(proved_later("web01-bad"), _swap("proof failed", 1), fleet=[vm_body(power="deallocated"), *FLEET[1:]]),
    Told(busy_look, {"look": ((0, "busy"), (1, "busy, continued"))}),
    Told(many, {"swap_vms": ((0, "with a disk"),)}),
    Told(
        month,
        {
            "refresh_month": ((0, "rolled out"),),
            "create_images": ((0, "one made"),),
            "build_image": ((0, "made"),),
            "create_disks": ((0, "made"),),
            "write_tags": ((0, "written"),),
            "swap_vms": ((0, "of a month"),),
        },
        fleet=_MONTH,
        settings={"REFRESH_ROLLOUT": "auto"},
    ),
    Told(slow_image, {"build_image": ((0, "slow"), (1, "slow, continued"))}, fleet=_MONTH),
    Told(self_check, {"selfcheck": ((0, "passed"),), "answer_selfcheck": ((0, "answered"),)}),
    Told(failed_image, {"build_image": ((0, "failed"),), "create_images": ((0, "one failed"),)}, fleet=_MONTH),
)
