"""A test's access to ARM and to the app's API over HTTP.

Decides the form of the requests. Does not know which durable engine the app uses or in which process it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp

from simulator.clock import Clock
from simulator.world import Endpoints, Simulator


@dataclass
class HttpAccess:
    """A running simulator, and the app at the address `functions`."""

    clock: Clock
    simulator: Simulator
    endpoints: Endpoints
    functions: str
    http: aiohttp.ClientSession

    async def arm(self, method: str, resource_id: str, body: Any = None, **query: str) -> dict[str, Any]:
        """Send one ARM request and return the answer's body. AssertionError with ARM's message for an error."""
        url = f"{self.endpoints.arm}{resource_id}"
        headers = {"Authorization": "Bearer test"}
        params = {"api-version": "2024-07-01", **query}
        async with self.http.request(method, url, json=body, headers=headers, params=params) as answer:
            text = await answer.text()
            assert answer.status < 400, f"{method} {resource_id}: {answer.status} {text}"
            return dict(await answer.json()) if text else {}

    async def tag(self, resource_id: str, **tags: str) -> None:
        """Merge tags, as a person does; Event Grid sends the event."""
        body = {"operation": "Merge", "properties": {"tags": tags}}
        await self.arm("PATCH", f"{resource_id}/providers/Microsoft.Resources/tags/default", body)

    async def vm(self, vm_id: str) -> dict[str, Any]:
        """The VM from ARM, with its instance view."""
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
        """Send one request to the app's HTTP API; returns status and JSON."""
        async with self.http.request(method, f"{self.functions}{path}", json=body) as answer:
            return answer.status, await answer.json(content_type=None)

    async def fire(self, function: str) -> None:
        """Fire a timer with the Functions host's admin endpoint."""
        async with self.http.post(f"{self.functions}/admin/functions/{function}", json={"input": ""}) as answer:
            assert answer.status == 202, await answer.text()

    def journal(self, vm_id: str) -> dict[str, Any]:
        """The simulator's own record of the VM's downtime."""
        vms = self.simulator.journal.to_json(self.clock.now())["vms"]
        return dict(vms.get(vm_id.lower(), {"not_running_s": 0, "stops": 0, "intervals": []}))
