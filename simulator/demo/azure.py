"""The storyteller's hands and eyes: ARM, the app's API and the control plane, all over HTTP.

Decides how a VM is read into one line. Refuses to know what should become of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from simulator.world import Endpoints

# What the app says it is doing, the innermost first: a month consists of the others.
_KINDS = {
    "images": "capturing and replicating image versions",
    "disks": "making disks",
    "tags": "writing tags",
    "swap": "swapping",
    "swaps": "swapping",
    "month": "going on with the month",
}
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
        """What is going on with it, in a word or two."""
        if not self.tags.get("RefreshState"):
            return ""
        there = self.os_disk == self.tags.get("OsDiskName")
        if self.power == "running":
            return "proving health" if there else "about to stop"
        if self.power == "deallocated":
            return "about to start" if there else "swapping the disk"
        return {"deallocating": "stopping"}.get(self.power, self.power)


class Azure:
    """One session with the local Azure and the app on it."""

    def __init__(self, http: aiohttp.ClientSession, endpoints: Endpoints) -> None:
        """Talk to `endpoints` through `http`."""
        self._http, self._endpoints = http, endpoints

    async def arm(self, method: str, resource_id: str, body: Any = None, **query: str) -> dict[str, Any]:
        """One ARM request. RuntimeError with ARM's words when it is refused."""
        url, headers = f"{self._endpoints.arm}{resource_id}", {"Authorization": "Bearer demo"}
        params = {**_API_VERSION, **query}
        async with self._http.request(method, url, json=body, headers=headers, params=params) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {resource_id}: {answer.status} {text}")
            return dict(await answer.json()) if text else {}

    async def tag(self, resource_id: str, **tags: str) -> None:
        """Edit tags as a person does in the portal."""
        body = {"operation": "Merge", "properties": {"tags": tags}}
        await self.arm("PATCH", f"{resource_id}/providers/Microsoft.Resources/tags/default", body)

    async def vm(self, vm_id: str) -> Seen:
        """Read one VM from ARM."""
        body = await self.arm("GET", vm_id, **{"$expand": "instanceView"})
        statuses = body["properties"]["instanceView"]["statuses"]
        power = next(s["code"].split("/")[1] for s in statuses if s["code"].startswith("PowerState/"))
        return _seen(body, power)

    async def fleet(self) -> list[Seen]:
        """Every VM at this moment, from the control plane: watching must not use up ARM's quota."""
        async with self._http.get(f"{self._endpoints.control}/resources", params={"type": VM_TYPE}) as answer:
            return [_seen(body, body["_power"]) for body in await answer.json()]

    async def app_doing(self) -> str:
        """What the app says it is doing, in a few words; empty when nothing is under way."""
        runs = (await self.api("runs?top=20"))["value"]
        under_way = {run["kind"] for run in runs if run["status"] == "running"}
        return next((words for kind, words in _KINDS.items() if kind in under_way), "")

    async def down_s(self) -> dict[str, float]:
        """Simulated seconds that each VM (lower-case id) did not run, from the simulator's own journal."""
        async with self._http.get(f"{self._endpoints.control}/journal") as answer:
            return {vm: row["not_running_s"] for vm, row in (await answer.json())["vms"].items()}

    async def published(self) -> list[str]:
        """The types of the events that the app has published, oldest first."""
        async with self._http.get(f"{self._endpoints.control}/published") as answer:
            return [str(row["event"]["type"]) for row in await answer.json()]

    async def plan_fault(self, fault: dict[str, Any]) -> None:
        """Have something go wrong."""
        async with self._http.post(f"{self._endpoints.control}/faults", json=[fault]) as answer:
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


def _seen(body: Mapping[str, Any], power: str) -> Seen:
    os_disk = body["properties"]["storageProfile"]["osDisk"]["name"]
    return Seen(body["id"], body["name"], os_disk, power, body.get("tags") or {})
