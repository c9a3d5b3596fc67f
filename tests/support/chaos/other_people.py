"""Random acts of other people on a small fleet while it is swapped to healthy disks of one image version.

Decides what people do and when. The invariants: without evidence from a guest no disk is rejected and no version
quarantined; a VM that a person stopped last stays stopped, any other runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from simulator.arm.front.seeding import BodyError
from tests.support.worlds.builders import VERSION_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body, vm_id

NAMES = ("web01", "web02", "web03")
ACTS = (
    "deallocate",
    "powerOff",
    "start",
    "restart",
    "resize",
    "detach",
    "restore",
    "tag",
    "hold",
    "reboot",
    "extension",
)
STOPS = ("deallocate", "powerOff")
_FROM = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}


@dataclass(frozen=True)
class Act:
    """What a person does with a VM, `at_s` seconds after the tag edit that asks for its swap."""

    vm: str
    at_s: float
    what: str


def acts() -> st.SearchStrategy[list[Act]]:
    """Up to nine acts, most of them in the minutes of the swaps, sorted by their time."""
    act = st.builds(Act, st.sampled_from(NAMES), st.integers(1, 400).map(float), st.sampled_from(ACTS))
    return st.lists(act, min_size=1, max_size=9).map(lambda drawn: sorted(drawn, key=lambda one: one.at_s))


def run_acts(drawn: Sequence[Act], stale_s: float = 0.0) -> None:
    """Play the acts on a fleet whose disks all boot, and check the invariants; reads are `stale_s` seconds old."""
    play(lambda azure: _story(azure, drawn, stale_s), _fleet(), settings={"REFRESH_QUARANTINE_AFTER": "1"})


def _fleet() -> list[dict[str, Any]]:
    bodies = [*gallery_bodies(), version_body(VERSION_ID)]
    for name in NAMES:
        vm = vm_body(name, RefreshProbe="tcp:22")
        data = {"lun": 0, "name": f"{name}-data", "createOption": "Empty", "diskSizeGB": 8}
        vm["properties"]["storageProfile"]["dataDisks"] = [data]
        bodies.append({**vm, "_listens": [22]})
        bodies += [disk_body(f"{name}-{end}", creationData=_FROM) for end in ("new", "newer", "restored")]
    return bodies


async def _story(azure: LocalAzure, drawn: Sequence[Act], stale_s: float) -> None:
    if stale_s:
        match = {"method": "GET", "path": "/virtualMachines/web0\\d$"}
        azure.simulator.services.faults.add([{"match": match, "stale_s": stale_s, "times": 40}])
    for name in NAMES:
        await azure.tag(vm_id(name), OsDiskName=f"{name}-new")
    began, stopped, undecided = azure.clock.time(), set[str](), set[str]()
    for act in drawn:
        await asyncio.sleep(max(began + act.at_s - azure.clock.time(), 0))
        done = await _do(azure, act)
        if act.what in STOPS and done:
            stopped.add(act.vm)
        elif act.what in ("start", "restart", "restore") and done:
            stopped.discard(act.vm)
        undecided |= {act.vm} if act.what == "hold" else set()
    await asyncio.sleep(900)
    azure.simulator.services.faults.clear()
    for name in undecided:
        await azure.tag(vm_id(name), AutoRefresh="true")
    for _ in range(4):
        await asyncio.sleep(301)
        await azure.fire("sweep")
    await azure.settled(20000)
    await _check(azure, stopped)


async def _do(azure: LocalAzure, act: Act) -> bool:
    """Do it as a person does; False where Azure refuses it, for example because another operation is under way."""
    vm = vm_id(act.vm)
    with suppress(AssertionError, BodyError):  # Azure refuses it: another operation is under way
        if act.what in ("deallocate", "powerOff", "start", "restart"):
            await azure.arm("POST", f"{vm}/{act.what}")
        elif act.what == "resize":
            await azure.arm("PATCH", vm, {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}})
        elif act.what == "detach":
            await azure.arm("PATCH", vm, {"properties": {"storageProfile": {"dataDisks": []}}})
        elif act.what == "tag":
            await azure.tag(vm, OsDiskName=f"{act.vm}-newer")
        elif act.what == "hold":
            await azure.tag(vm, AutoRefresh="hold")
        elif act.what == "restore":
            await _restore(azure, act.vm)
        else:
            key = "_reboots_after_s" if act.what == "reboot" else "_extension_work_s"
            azure.simulator.put_resources([{"id": vm, key: 60}])
        return True
    return False


async def _restore(azure: LocalAzure, name: str) -> None:
    """Replace the OS disk as `az vm repair restore` does: stop, swap, start."""
    body = {"name": f"{name}-restored", "managedDisk": {"id": disk_id(f"{name}-restored")}}
    await azure.arm("POST", f"{vm_id(name)}/deallocate")
    await asyncio.sleep(40)
    await azure.arm("PATCH", vm_id(name), {"properties": {"storageProfile": {"osDisk": body}}})
    await asyncio.sleep(10)
    await azure.arm("POST", f"{vm_id(name)}/start")


async def _check(azure: LocalAzure, stopped: set[str]) -> None:
    state = azure.dispatcher_state()
    assert not state.get("rejected"), (state["rejected"], azure.outcomes())
    for name in NAMES:
        tags = (await azure.vm(vm_id(name)))["tags"]
        assert "OsDiskRejected" not in tags, (name, tags, azure.outcomes())
        assert "RefreshState" not in tags, (name, tags)
        power = await azure.power(vm_id(name))
        assert power == "running" or name in stopped, (name, power, azure.outcomes())
    version = await azure.arm("GET", VERSION_ID)
    assert "RefreshQuarantined" not in version.get("tags", {}), azure.outcomes()
    assert not version["properties"]["publishingProfile"].get("excludeFromLatest")
    assert azure.idle(), state
