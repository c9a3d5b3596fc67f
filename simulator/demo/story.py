"""The story itself: what happens, what should come of it, and whether it did.

Decides what is done to the fleet and what every VM should look like in the end. The verdict is read back from ARM.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from simulator.clock import Clock
from simulator.demo.azure import Azure, Seen
from simulator.demo.screen import Screen
from simulator.scenarios.demo import APP, GALLERY, LOCATION, SUBSCRIPTION, WEB, disk_id, vm_id
from simulator.world import Endpoints

# Real seconds between two looks at the fleet; simulated ones until a scene is given up, and until it is given up
# because nothing is going on.
_BLINK_S = 0.25
_SCENE_S = 2400.0
_STILL_S = 300.0
# From this width on a reason finds room beside its VM.
_WIDE = 110
# New VMs and deleted groups are recorded to take Azure from seconds to half an hour: here they take what is usual.
_USUAL = (
    {"match": {"operation": "create", "resource": "machine"}, "duration_s": 90},
    {"match": {"operation": "groupDelete", "resource": "refresh-*"}, "duration_s": 35},
    {"cloudInit": "machine", "takes_s": 30},
)
_REFRESHED = ("web01", "web02", "web03", "web04", "app01", "app02", "db01", "win01", "win02")

Goal = Callable[[Seen], bool]


async def tell(console: Console, clock: Clock, endpoints: Endpoints) -> bool:
    """Tell the whole story; whether every VM is where it should be."""
    async with aiohttp.ClientSession() as http:
        stage = _Stage(console, clock, Azure(http, endpoints))
        old = {vm.name: vm.os_disk for vm in await stage.azure.fleet()}
        period = clock.now().strftime("%Y%m")
        month = {**{name: f"{name}-{period}" for name in (*_REFRESHED, "batch01")}, "typo01": "typo01-os"}
        fleet = len(month) + 1
        console.print(
            f"\n[bold]A local Azure[/] on {endpoints.arm}: {fleet} VMs, and {len(old) - fleet} golden ones that images "
            f"are captured from. The app on {endpoints.functions}. {_pace(clock)}"
        )
        # What has failed once is not built upon; the verdict says where the VMs are.
        if await _month(stage, month) and await _tag_edit(stage, old):
            await _broken_disk(stage, month["web03"], period)
        expected = {**month, "legacy01": "legacy01-os", "web02": old["web02"]}
        fleet_is_well = await _verdict(stage, old, expected)
        return await _recipe(stage) and fleet_is_well


def _pace(clock: Clock) -> str:
    pace = "without waiting" if clock.kind == "virtual" else f"{clock.speed:g} times as fast"
    return f"Time passes {pace}; all seconds are simulated."


class _Stage:
    """The console, the clock and the local Azure of one telling."""

    def __init__(self, console: Console, clock: Clock, azure: Azure) -> None:
        self.console, self.clock, self.azure = console, clock, azure

    async def scene(self, title: str, goals: Mapping[str, Goal]) -> bool:
        """Watch until every VM named in `goals` has reached its goal, or nothing more is to be expected.

        Whether all have. Given up when the app does nothing for five simulated minutes, or after forty.
        """
        with Screen(self.console, title, len(goals)) as screen:
            began_s = busy_s = self.clock.time()
            while True:
                seen = [vm for vm in await self.azure.fleet() if vm.name in goals]
                doing = await self.azure.app_doing()
                reached = sum(goals[vm.name](vm) for vm in seen)
                now_s = self.clock.time()
                busy_s = now_s if doing else busy_s
                screen.show(now_s - began_s, seen, doing, reached)
                if reached == len(goals) or now_s - began_s > _SCENE_S or now_s - busy_s > _STILL_S:
                    break
                await asyncio.sleep(_BLINK_S * self.clock.speed)
        colour = "" if reached == len(goals) else "[red]"
        self.console.print(f"  {colour}{reached} of {len(goals)} {title} after {now_s - began_s:.0f} s")
        return reached == len(goals)


def _settled_on(disk: str, power: str = "running") -> Goal:
    return lambda vm: (vm.os_disk, vm.power) == (disk, power) and "RefreshState" not in vm.tags


async def _month(stage: _Stage, month: Mapping[str, str]) -> bool:
    stage.console.print(
        "\n[bold]1. The month.[/] The timer fires: image versions are captured and replicated, that of db01 from a VM "
        "which first builds itself from a recipe, unreachable, and switches itself off. Then every VM in scope gets a "
        "new disk, its tag is written, it is swapped and proved."
    )
    await stage.azure.plan(*_USUAL)
    await stage.azure.fire("monthly_refresh")
    goals = {name: _settled_on(month[name]) for name in _REFRESHED}
    return await stage.scene("refreshed", {**goals, "batch01": _settled_on(month["batch01"], "deallocated")})


async def _tag_edit(stage: _Stage, old: Mapping[str, str]) -> bool:
    stage.console.print(
        f"\n[bold]2. One tag edit.[/] Somebody writes OsDiskName={old['web02']} on web02, in the portal. Event Grid "
        "tells the app, and web02 is back on its old disk."
    )
    await stage.azure.tag(vm_id(WEB, "web02"), OsDiskName=old["web02"])
    return await stage.scene("swapped back", {"web02": _settled_on(old["web02"])})


async def _broken_disk(stage: _Stage, healthy: str, period: str) -> bool:
    broken = "web03-broken"
    stage.console.print(
        f"\n[bold]3. A disk that never boots.[/] web03 is told to run {broken}. It starts, its guest stays silent, and "
        "the app puts the disk it came from back."
    )
    versions = await stage.azure.arm("GET", f"{GALLERY}/images/ubuntu-server/versions")
    newest = next(v["id"] for v in versions["value"] if v["name"].startswith(period))
    await stage.azure.arm("PUT", disk_id(WEB, broken), _disk_from(newest))
    await stage.azure.plan({"disk": broken, "boots": False})
    await asyncio.sleep(5)
    await stage.azure.tag(vm_id(WEB, "web03"), OsDiskName=broken)
    back = _settled_on(healthy)
    return await stage.scene("rolled back", {"web03": lambda vm: back(vm) and vm.tags.get("OsDiskRejected") == broken})


def _disk_from(version_id: str) -> dict[str, object]:
    creation = {"createOption": "FromImage", "galleryImageReference": {"id": version_id}}
    properties = {"creationData": creation, "osType": "Linux", "hyperVGeneration": "V2"}
    return {"location": LOCATION, "zones": ["3"], "sku": {"name": "Premium_LRS"}, "properties": properties}


async def _verdict(stage: _Stage, old: Mapping[str, str], expected: Mapping[str, str]) -> bool:
    down_s, reasons = await stage.azure.down_s(), await _reasons(stage.azure)
    title = "\nEvery VM, read back from ARM; simulated seconds down in the whole story"
    table = Table(title=title, title_justify="left", box=SIMPLE)
    for column in ("", "VM", "old disk", "disk now", "power", "down"):
        table.add_column(column, no_wrap=True)
    narrow = stage.console.width < _WIDE
    if not narrow:
        table.add_column("why", overflow="fold", min_width=20)
    whys = []
    ids = [vm_id(APP if name[:3] in ("app", "db0", "win", "leg") else WEB, name) for name in expected]
    well = True
    for seen in await asyncio.gather(*map(stage.azure.vm, ids)):
        power = "deallocated" if seen.name == "batch01" else "running"
        right = (seen.os_disk, seen.power) == (expected[seen.name], power)
        well = well and right
        down = f"{down_s.get(seen.id.lower(), 0):.0f} s"
        why = reasons.get(seen.id.lower(), "not in scope: AutoRefresh is not true on it")
        if not right:
            why = f"[red]should run {expected[seen.name]} and be {power}[/]; {why}"
        mark = "[green]✓[/]" if right else "[red]✗[/]"
        whys.append(f"  {seen.name:9} {why}")
        table.add_row(mark, seen.name, old[seen.name], seen.os_disk, seen.power, down, *([] if narrow else [why]))
    stage.console.print(table)
    if narrow:
        stage.console.print("\n".join(whys), highlight=False)
    told = Counter(await stage.azure.published())
    published = ", ".join(f"{kind.removeprefix('refresh.')} ×{count}" for kind, count in sorted(told.items()))
    # A picture has an edge; a terminal wraps by itself.
    stage.console.print(f"Published: {published}", soft_wrap=not stage.console.record)
    stage.console.print(await _drift(stage.azure), highlight=False)
    verdict = "[green]Every VM is where it should be.[/]" if well else "[red]Not every VM is where it should be.[/]"
    stage.console.print(verdict)
    return well


async def _recipe(stage: _Stage) -> bool:
    """Tell what became of the recipe; whether it became a version and nothing is left of what it was made on."""
    runs = (await stage.azure.api("runs?kind=month"))["value"]
    months = [await stage.azure.api(f"runs/{run['id']}") for run in runs]
    rows = [row for month in months for row in month.get("images", []) if row["definition"].endswith("/ubuntu-gen1")]
    left = [name for name in await stage.azure.groups(SUBSCRIPTION) if name.startswith("refresh-")]
    well = bool(rows) and rows[-1]["decision"] == "create" and not left
    mark, told = ("[green]✓[/]" if well else "[red]✗[/]"), rows[-1]["message"] if rows else "no word of it"
    rest = f"still there: {', '.join(left)}" if left else "nothing is left of what it was built on"
    stage.console.print(f"{mark} The recipe of ubuntu-gen1: {told}; {rest}.")
    return well


async def _drift(azure: Azure) -> str:
    """Who is not on the latest image version, in the app's own words; a line of its own for each."""
    drifted: Sequence[dict[str, Any]] = (await azure.api("vms?drift=true"))["value"]
    lines = [
        f"  {row['vm'].rsplit('/', 1)[-1]:9} {row['version'] or 'from no image version'}; latest is {row['latest']}"
        for row in drifted
    ]
    return "\n".join(["Not on the latest image version:", *lines]) if lines else "Every VM is on the latest version."


async def _reasons(azure: Azure) -> dict[str, str]:
    """The app's own last word on each VM, from its runs, oldest first; VMs it never touched are out of scope."""
    found: dict[str, str] = {}
    runs: Sequence[dict[str, str]] = (await azure.api("runs?top=100"))["value"]
    for run in sorted(runs, key=lambda run: run.get("started") or ""):
        for row in (await azure.api(f"runs/{run['id']}")).get("vms", []):
            found[row["vm"].lower()] = row["message"]
    return found
