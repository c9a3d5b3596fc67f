"""The end of the demo: what every VM runs, read back from ARM, and why, from the app's runs.

Decides whether a VM has its expected result. Does not know how it came to it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from simulator.demo.azure import Azure
from simulator.demo.text import write
from simulator.scenarios.demo import APP, SUBSCRIPTION, WEB, vm_id

_OUT_OF_SCOPE = ("not in scope", "AutoRefresh is not true on it")
# The result of a VM that no swap of its own was begun for, by the decision about it.
_DECIDED = {"refuse": "refused", "skip": "skipped"}
_SWAPPED = ("succeeded", "not-proven", "rolled-back")


@dataclass(frozen=True)
class Expected:
    """What a VM should end with; without a `result` any result of a swap that left the VM on `disk`."""

    disk: str
    power: str = "running"
    result: str = ""


async def show_verdict(
    console: Console, azure: Azure, old: Mapping[str, str], expected: Mapping[str, Expected]
) -> bool:
    """Show every VM with its result and the reason; whether all results are the expected ones."""
    down_s, results = await azure.down_s(), await _results(azure)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("", "VM", "old disk", "disk now", "power", "down", "result"):
        table.add_column(column, no_wrap=True)
    reasons, well = [], True
    ids = [vm_id(APP if name[:3] in ("app", "db0", "win", "leg") else WEB, name) for name in expected]
    for seen in await asyncio.gather(*map(azure.vm, ids)):
        want = expected[seen.name]
        result, reason = results.get(seen.id.lower(), _OUT_OF_SCOPE)
        right = (seen.os_disk, seen.power) == (want.disk, want.power) and want.result in ("", result)
        well = well and right
        if not right:
            reason = f"should run {want.disk}, be {want.power} and have {want.result or 'any result'}; {reason}"
        mark = "[green]✓[/]" if result in _SWAPPED else "[yellow]-[/]"
        down = f"{down_s.get(seen.id.lower(), 0):.0f} s"
        row = (mark if right else "[red]✗[/]", seen.name, old[seen.name], seen.os_disk, seen.power, down, result)
        table.add_row(*row)
        reasons.append(f"  {seen.name:9} {reason}")
    console.print()
    write(console, "Every VM, read back from ARM; the seconds it was down in all three scenes")
    console.print()
    console.print(table)
    console.print()
    for reason in reasons:
        write(console, reason, indent=12)
    console.print()
    types = Counter(await azure.published())
    events = ", ".join(f"{kind.removeprefix('refresh.')} ×{count}" for kind, count in sorted(types.items()))
    write(console, f"Published: {events}", indent=2)
    for line in await _drift(azure):
        write(console, line, indent=12)
    end = "Every VM is where it should be." if well else "Not every VM is where it should be."
    write(console, end, style="green" if well else "red")
    return well


async def show_recipe(console: Console, azure: Azure) -> bool:
    """Show the result of the recipe; whether it became a version and nothing is left of its build."""
    runs = (await azure.api("runs?kind=month"))["value"]
    months = [await azure.api(f"runs/{run['id']}") for run in runs]
    rows = [row for month in months for row in month.get("images", []) if row["definition"].endswith("/ubuntu-gen1")]
    left = [name for name in await azure.groups(SUBSCRIPTION) if name.startswith("refresh-")]
    well = bool(rows) and rows[-1]["decision"] == "create" and not left
    message = rows[-1]["message"] if rows else "the month has no result for it"
    rest = f"still there: {', '.join(left)}" if left else "its build VM and resource group are deleted"
    mark = "✓" if well else "✗"
    write(console, f"{mark} The recipe of ubuntu-gen1: {message}; {rest}.", indent=2, style=None if well else "red")
    return well


async def _drift(azure: Azure) -> list[str]:
    """The VMs that are not on the latest image version, a line for each."""
    drifted: Sequence[dict[str, Any]] = (await azure.api("vms?drift=true"))["value"]
    lines = [
        f"  {row['vm'].rsplit('/', 1)[-1]:9} {row['version'] or 'from no image version'}; latest is {row['latest']}"
        for row in drifted
    ]
    return ["Not on the latest image version:", *lines] if lines else ["Every VM is on the latest version."]


async def _results(azure: Azure) -> dict[str, tuple[str, str]]:
    """The last result and its reason for each VM (lower-case id) that a run was about."""
    found: dict[str, tuple[str, str]] = {}
    runs: Sequence[dict[str, str]] = (await azure.api("runs?top=100"))["value"]
    for run in sorted(runs, key=lambda run: run.get("started") or ""):
        for row in (await azure.api(f"runs/{run['id']}")).get("vms", []):
            result = row.get("status") or _DECIDED.get(row["decision"], row["decision"])
            found[row["vm"].lower()] = (str(result), str(row["message"]))
    return found
