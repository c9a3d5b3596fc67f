"""The pretend Azure and the app as anybody meets them: ARM and the app's API over HTTP.

Decides how a test asks. Does not know which durable engine the app runs on, nor whether it runs in this process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp

from simulator.clock import Clock
from simulator.world import Endpoints, Simulator


@dataclass
class Outside:
    """A running simulator with the app at address `functions`."""

    clock: Clock
    simulator: Simulator
    endpoints: Endpoints
    functions: str
    http: aiohttp.ClientSession

    async def arm(self, method: str, resource_id: str, body: Any = None, **query: str) -> dict[str, Any]:
        """One ARM request; the answer's body. AssertionError with ARM's words when it is refused."""
        url = f"{self.endpoints.arm}{resource_id}"
        headers = {"Authorization": "Bearer test"}
        params = {"api-version": "2024-07-01", **query}
        async with self.http.request(method, url, json=body, headers=headers, params=params) as answer:
            text = await answer.text()
            assert answer.status < 400, f"{method} {resource_id}: {answer.status} {text}"
            return dict(await answer.json()) if text else {}

    async def tag(self, resource_id: str, **tags: str) -> None:
        """Merge tags, as a person would: Event Grid tells the app."""
        body = {"operation": "Merge", "properties": {"tags": tags}}
        await self.arm("PATCH", f"{resource_id}/providers/Microsoft.Resources/tags/default", body)

    async def vm(self, vm_id: str) -> dict[str, Any]:
        """The VM as ARM shows it, with its instance view."""
        return await self.arm("GET", vm_id, **{"$expand": "instanceView"})

    async def os_disk(self, vm_id: str) -> str:
        """The name of the VM's OS disk."""
        return str((await self.vm(vm_id))["properties"]["storageProfile"]["osDisk"]["name"])

    async def power(self, vm_id: str) -> str:
        """The VM's power state, without its prefix."""
        statuses = (await self.vm(vm_id))["properties"]["instanceView"]["statuses"]
        codes = [str(status["code"]) for status in statuses]
        return next(code.split("/")[1] for code in codes if code.startswith("PowerState/"))

    async def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request to the app's HTTP API: status and JSON."""
        async with self.http.request(method, f"{self.functions}{path}", json=body) as answer:
            return answer.status, await answer.json(content_type=None)

    async def fire(self, function: str) -> None:
        """Fire a timer, as the Functions host's admin endpoint does."""
        async with self.http.post(f"{self.functions}/admin/functions/{function}", json={"input": ""}) as answer:
            assert answer.status == 202, await answer.text()

    def journal(self, vm_id: str) -> dict[str, Any]:
        """The simulator's own record of the VM's downtime."""
        vms = self.simulator.journal.to_json(self.clock.now())["vms"]
        return dict(vms.get(vm_id.lower(), {"not_running_s": 0, "stops": 0, "intervals": []}))
