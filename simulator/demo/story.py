"""The story of the demo: what happens to the fleet, what should come of it, and whether it did.

Decides which result every VM should have. The results are read back from ARM.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from rich.console import Console

from simulator.clock import Clock
from simulator.demo.azure import Azure, Seen
from simulator.demo.screen import Screen
from simulator.demo.text import write
from simulator.demo.verdict import Expected, show_recipe, show_verdict
from simulator.scenarios.demo import GALLERY, LOCATION, WEB, disk_id, vm_id
from simulator.world import Endpoints

# Real seconds between two reads of the fleet.
_PAUSE_S = 0.25
# Simulated seconds until a scene is given up, and until it is given up because the app does nothing.
_SCENE_S = 2400.0
_STILL_S = 300.0
# Recorded durations of new VMs and of deleted groups range from seconds to half an hour: the demo takes usual ones.
_USUAL = (
    {"match": {"operation": "create", "resource": "machine"}, "duration_s": 90},
    {"match": {"operation": "groupDelete", "resource": "refresh-*"}, "duration_s": 35},
    {"cloudInit": "machine", "takes_s": 30},
)
_REFRESHED = ("web01", "web02", "web03", "web04", "app01", "app02", "db01", "win01", "win02")
_NEXT = """
Next: the same fleet, left running, with commands to paste for a tag edit, a
month and a failure:

  make up
"""

Goal = Callable[[Seen], bool]


async def play(console: Console, clock: Clock, endpoints: Endpoints) -> bool:
    """Play the whole story; whether every VM is where it should be."""
    async with aiohttp.ClientSession() as http:
        demo = _Demo(console, clock, Azure(http, endpoints))
        old = {vm.name: vm.os_disk for vm in await demo.azure.fleet()}
        period = clock.now().strftime("%Y%m")
        month = {name: f"{name}-{period}" for name in (*_REFRESHED, "batch01")}
        fleet = len(month) + 2
        demo.paragraph(
            "A local Azure",
            f"{fleet} VMs on {endpoints.arm}: {len(month)} to refresh, typo01 with a typo in a tag, legacy01 out of "
            f"scope; and {len(old) - fleet} VMs that images are captured from. The app listens on "
            f"{endpoints.functions}. {_pace(clock)}",
        )
        # A scene builds on the one before; after a failure the verdict shows where the VMs are.
        if await _month(demo, month) and await _tag_edit(demo, old):
            await _broken_disk(demo, month["web03"], period)
        expected = {name: Expected(disk) for name, disk in month.items()}
        expected |= {
            "web02": Expected(old["web02"]),
            "web03": Expected(month["web03"], result="rolled-back"),
            "batch01": Expected(month["batch01"], power="deallocated"),
            "typo01": Expected(old["typo01"], result="refused"),
            "legacy01": Expected(old["legacy01"], result="not in scope"),
        }
        well = await show_verdict(console, demo.azure, old, expected)
        well = await show_recipe(console, demo.azure) and well
        if well:
            console.print(_NEXT.rstrip(), highlight=False)
        return well


def _pace(clock: Clock) -> str:
    pace = "without waiting" if clock.kind == "virtual" else f"{clock.speed:g} times as fast"
    return f"Time passes {pace}; all seconds are simulated."


class _Demo:
    """The console, the clock and the local Azure of one run."""

    def __init__(self, console: Console, clock: Clock, azure: Azure) -> None:
        self.console, self.clock, self.azure = console, clock, azure

    def paragraph(self, heading: str, text: str) -> None:
        """A heading in bold, and its text below it."""
        self.console.print()
        write(self.console, heading, style="bold")
        write(self.console, text)

    async def scene(self, title: str, goals: Mapping[str, Goal]) -> bool:
        """Wait until every VM named in `goals` has reached its goal; whether all have.

        Ends early when the app does nothing for five simulated minutes, or after forty.
        """
        with Screen(self.console, title, len(goals)) as screen:
            began_s = busy_s = self.clock.time()
            while True:
                seen = [vm for vm in await self.azure.fleet() if vm.name in goals]
                work = await self.azure.app_work()
                reached = sum(goals[vm.name](vm) for vm in seen)
                now_s = self.clock.time()
                busy_s = now_s if work.text else busy_s
                screen.show(now_s - began_s, seen, work, reached)
                if reached == len(goals) or now_s - began_s > _SCENE_S or now_s - busy_s > _STILL_S:
                    break
                await asyncio.sleep(_PAUSE_S * self.clock.speed)
        style = None if reached == len(goals) else "red"
        write(self.console, f"  {reached} of {len(goals)} {title} after {now_s - began_s:.0f} s", style=style)
        return reached == len(goals)


def _settled_on(disk: str, power: str = "running") -> Goal:
    return lambda vm: (vm.os_disk, vm.power) == (disk, power) and "RefreshState" not in vm.tags


async def _month(demo: _Demo, month: Mapping[str, str]) -> bool:
    demo.paragraph(
        "1. The month",
        "The timer fires. Image versions are captured and replicated; that of db01 comes from a VM that builds itself "
        "from a recipe and powers itself off. Then every VM in scope gets a new disk, its tag is written, and it is "
        "swapped and proved.",
    )
    await demo.azure.plan(*_USUAL)
    await demo.azure.fire("monthly_refresh")
    goals = {name: _settled_on(month[name]) for name in _REFRESHED}
    return await demo.scene("refreshed", {**goals, "batch01": _settled_on(month["batch01"], "deallocated")})


async def _tag_edit(demo: _Demo, old: Mapping[str, str]) -> bool:
    demo.paragraph(
        "2. One tag edit",
        f"The tag OsDiskName={old['web02']} is written on web02, as in the portal. Event Grid notifies the app, and "
        "web02 is swapped back to its old disk.",
    )
    await demo.azure.tag(vm_id(WEB, "web02"), OsDiskName=old["web02"])
    return await demo.scene("swapped back", {"web02": _settled_on(old["web02"])})


async def _broken_disk(demo: _Demo, healthy: str, period: str) -> bool:
    broken = "web03-broken"
    demo.paragraph(
        "3. A disk that never boots",
        f"The tag OsDiskName={broken} is written on web03. The VM starts, its guest gives no signal, and the app swaps "
        "the disk from before back.",
    )
    versions = await demo.azure.arm("GET", f"{GALLERY}/images/ubuntu-server/versions")
    newest = next(v["id"] for v in versions["value"] if v["name"].startswith(period))
    await demo.azure.arm("PUT", disk_id(WEB, broken), _disk_from(newest))
    await demo.azure.plan({"disk": broken, "boots": False})
    await asyncio.sleep(5)
    await demo.azure.tag(vm_id(WEB, "web03"), OsDiskName=broken)
    back = _settled_on(healthy)
    return await demo.scene("rolled back", {"web03": lambda vm: back(vm) and vm.tags.get("OsDiskRejected") == broken})


def _disk_from(version_id: str) -> dict[str, Any]:
    creation = {"createOption": "FromImage", "galleryImageReference": {"id": version_id}}
    properties = {"creationData": creation, "osType": "Linux", "hyperVGeneration": "V2"}
    return {"location": LOCATION, "zones": ["3"], "sku": {"name": "Premium_LRS"}, "properties": properties}
