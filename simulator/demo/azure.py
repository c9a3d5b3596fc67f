"""The demo's requests to ARM, to the app's API and to the control plane, all over HTTP.

Decides how a VM, and the app's work, are put in a few words. Does not know which result is expected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp

from simulator.world import Endpoints

# What a running run does; the first match counts, because a month consists of the others.
_KINDS = {
    "images": "capturing and replicating image versions",
    "disks": "making disks",
    "tags": "writing tags",
    "swap": "swapping",
    "swaps": "swapping",
    "month": "preparing the next step of the month",
}
_PLANNED, _FROM_RECIPE = "being planned", "a VM builds itself from a recipe"
VM_TYPE = "Microsoft.Compute/virtualMachines"
_API_VERSION = {"api-version": "2024-07-01"}


@dataclass(frozen=True)
class Seen:
    """A VM as ARM shows it at one moment."""

    id: str
    name: str
    os_disk: str
    power: str
    tags: Mapping[str, str]

    @property
    def doing(self) -> str:
        """What happens to it, in a few words."""
        if not self.tags.get("RefreshState"):
            return ""
        there = self.os_disk == self.tags.get("OsDiskName")
        if self.power == "running":
            return "proving health" if there else "about to stop"
        if self.power == "deallocated":
            return "about to start" if there else "swapping the disk"
        return {"deallocating": "stopping"}.get(self.power, self.power)


@dataclass(frozen=True)
class Work:
    """What the app does at one moment: in a few words, and the step of each image build by its definition's name."""

    text: str = ""
    builds: Mapping[str, str] = field(default_factory=dict)


class Azure:
    """One session with the local Azure and the app on it."""

    def __init__(self, http: aiohttp.ClientSession, endpoints: Endpoints) -> None:
        """Sends requests to `endpoints` through `http`."""
        self._http, self._endpoints = http, endpoints

    async def arm(self, method: str, resource_id: str, body: Any = None, **query: str) -> dict[str, Any]:
        """One ARM request. RuntimeError with ARM's message when it is refused."""
        url, headers = f"{self._endpoints.arm}{resource_id}", {"Authorization": "Bearer demo"}
        params = {**_API_VERSION, **query}
        async with self._http.request(method, url, json=body, headers=headers, params=params) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {resource_id}: {answer.status} {text}")
            return dict(await answer.json()) if text else {}

    async def tag(self, resource_id: str, **tags: str) -> None:
        """Edit tags as the portal does."""
        body = {"operation": "Merge", "properties": {"tags": tags}}
        await self.arm("PATCH", f"{resource_id}/providers/Microsoft.Resources/tags/default", body)

    async def vm(self, vm_id: str) -> Seen:
        """Read one VM from ARM."""
        body = await self.arm("GET", vm_id, **{"$expand": "instanceView"})
        statuses = body["properties"]["instanceView"]["statuses"]
        power = next(s["code"].split("/")[1] for s in statuses if s["code"].startswith("PowerState/"))
        return _seen(body, power)

    async def fleet(self) -> list[Seen]:
        """Every VM at this moment, from the control plane: reads of ARM would use up its rate limit."""
        async with self._http.get(f"{self._endpoints.control}/resources", params={"type": VM_TYPE}) as answer:
            return [_seen(body, body["_power"]) for body in await answer.json()]

    async def app_work(self) -> Work:
        """What the app does; empty when nothing is under way."""
        runs = (await self.api("runs?top=20"))["value"]
        under_way = {run["kind"]: run for run in reversed(runs) if run["status"] == "running"}
        text = next((text for kind, text in _KINDS.items() if kind in under_way), "")
        builds = await self._builds(under_way["images"]) if "images" in under_way else {}
        return Work(text, builds)

    async def _builds(self, images: Mapping[str, Any]) -> dict[str, str]:
        """The step of each build of the run `images`."""
        builds = (await self.api(f"runs?kind=build&top=50&from={quote(images['started'])}"))["value"]
        machines = (await self.api("runs?kind=machine&top=1"))["value"]
        builds_itself = bool(machines) and machines[0]["status"] == "running"
        return build_steps(builds, (await self.api(f"runs/{images['id']}")).get("images", ()), builds_itself)

    async def groups(self, subscription: str) -> list[str]:
        """The names of a subscription's resource groups."""
        listed = await self.arm("GET", f"/subscriptions/{subscription}/resourcegroups")
        return [group["name"] for group in listed["value"]]

    async def down_s(self) -> dict[str, float]:
        """Simulated seconds that each VM (lower-case id) did not run, from the simulator's journal."""
        async with self._http.get(f"{self._endpoints.control}/journal") as answer:
            return {vm: row["not_running_s"] for vm, row in (await answer.json())["vms"].items()}

    async def published(self) -> list[str]:
        """The types of the events that the app has published, oldest first."""
        async with self._http.get(f"{self._endpoints.control}/published") as answer:
            return [str(row["event"]["type"]) for row in await answer.json()]

    async def plan(self, *faults: dict[str, Any]) -> None:
        """Plan failures and durations."""
        async with self._http.post(f"{self._endpoints.control}/faults", json=list(faults)) as answer:
            answer.raise_for_status()

    async def fire(self, function: str) -> None:
        """Fire a timer now, as the Functions host's admin endpoint does."""
        url = f"{self._endpoints.functions}/admin/functions/{function}"
        async with self._http.post(url, json={"input": ""}) as answer:
            answer.raise_for_status()

    async def api(self, path: str) -> dict[str, Any]:
        """GET from the app's HTTP API."""
        async with self._http.get(f"{self._endpoints.functions}/api/{path}") as answer:
            answer.raise_for_status()
            return dict(await answer.json())


def build_steps(
    builds: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], builds_itself: bool
) -> dict[str, str]:
    """The step of each image build by the name of its definition; `builds_itself` while the VM of a recipe does.

    `rows` are the images in the record of the run that waits for `builds`; when that run has ended they name no build.
    The version of a recipe is a second build of its definition, after the first.
    """
    messages = {row["run"]: str(row["message"]) for row in rows if "run" in row}
    steps: dict[str, str] = {}
    for build in sorted(builds, key=lambda build: str(build["started"])):
        name = build["input"]["definition"].rsplit("/", 1)[-1]
        step = messages.get(build["id"], _PLANNED).replace(" Replicating ", " ")
        if build["status"] != "running":
            versions = [row["version"] for row in build["images"] if row.get("version")]
            step = f"version {versions[0]} is ready" if versions else str(build["status"])
        if step != _PLANNED or name not in steps:
            steps[name] = _FROM_RECIPE if step == _PLANNED and builds_itself else step
    return steps


def _seen(body: Mapping[str, Any], power: str) -> Seen:
    os_disk = body["properties"]["storageProfile"]["osDisk"]["name"]
    return Seen(body["id"], body["name"], os_disk, power, body.get("tags") or {})
