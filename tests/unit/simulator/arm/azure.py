"""A simulator on a virtual clock, and the real SDK as its client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.compute.aio import ComputeManagementClient

from simulator.clock import Clock, run
from simulator.identity import make_token
from simulator.world import Endpoints, Simulator

type Json = dict[str, Any]

SUB = "00000000-0000-4000-8000-00000000000a"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg1"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
VM1 = f"{COMPUTE}/virtualMachines/vm1"
GALLERY = f"{COMPUTE}/galleries/gal"
VERSION1 = f"{GALLERY}/images/ubuntu/versions/202601.1.0"


class AllowHttp(SansIOHTTPPolicy):  # type: ignore[type-arg]
    """Lets the SDK send its token over plain http to loopback."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options["enforce_https"] = False


class Credential:
    """A credential with a token that the simulator accepts."""

    token = make_token("tenant", "11111111-1111-4111-8111-111111111111", "arm", 0, 4_000_000_000)

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(self.token, 4_000_000_000)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Credential:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


@dataclass
class Reply:
    """An answer over plain HTTP."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])


@dataclass
class Azure:
    """One started simulator."""

    clock: Clock
    simulator: Simulator
    endpoints: Endpoints
    http: aiohttp.ClientSession
    compute: ComputeManagementClient

    async def arm(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request to ARM; adds an api-version where there is none."""
        url = path if path.startswith("http") else self.endpoints.arm + path
        if "api-version" not in url:
            url += ("&" if "?" in url else "?") + "api-version=2024-07-01"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.send(method, url, body, {"Authorization": f"Bearer {Credential.token}"} | named)

    async def sim(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request to the control plane."""
        return await self.send(method, f"{self.endpoints.control}/{path}", body, {})

    async def send(self, method: str, url: str, body: Any, headers: dict[str, str]) -> Reply:
        async with self.http.request(method, url, json=body, headers=headers) as response:
            is_json = "json" in response.headers.get("Content-Type", "")
            return Reply(response.status, dict(response.headers), await response.json() if is_json else None)

    async def finish(self, reply: Reply) -> Json:
        """Wait for the operation that an answer began and return its last status."""
        assert reply.status < 300, reply.body
        while True:
            status: Json = (await self.arm("GET", reply.headers["Azure-AsyncOperation"])).body
            if status["status"] != "InProgress":
                return status
            await asyncio.sleep(1)

    async def vm(self, name: str = "vm1") -> Json:
        """A VM as ARM answers it, with its instance view."""
        reply = await self.arm("GET", f"{COMPUTE}/virtualMachines/{name}?$expand=instanceView")
        assert reply.status == 200, reply.body
        body: Json = reply.body
        return body

    async def disk(self, name: str) -> Json:
        reply = await self.arm("GET", f"{COMPUTE}/disks/{name}")
        assert reply.status == 200, reply.body
        body: Json = reply.body
        return body

    async def power(self, name: str = "vm1") -> str:
        view = (await self.vm(name))["properties"]["instanceView"]
        return str(view["statuses"][-1]["code"])

    async def swap(self, disk: str, **more: Any) -> Reply:
        """PATCH vm1 onto a disk with the smallest body."""
        os_disk = {"name": disk, "managedDisk": {"id": f"{COMPUTE}/disks/{disk}"}, **more}
        return await self.arm("PATCH", VM1, {"properties": {"storageProfile": {"osDisk": os_disk}}})


@asynccontextmanager
async def azure(clock: Clock, scenario: list[Json] | None = None, *, seed: int = 0) -> AsyncIterator[Azure]:
    """A started simulator with `scenario`."""
    async with AsyncExitStack() as stack:
        simulator = Simulator(clock, scenario=scenario, seed=seed)
        endpoints = await simulator.start()
        stack.push_async_callback(simulator.stop)
        timeout = aiohttp.ClientTimeout(total=None)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        compute = await stack.enter_async_context(
            ComputeManagementClient(
                Credential(),
                SUB,
                base_url=endpoints.arm,
                credential_scopes=["https://management.azure.com/.default"],
                per_call_policies=[AllowHttp()],
                polling_interval=1,
            )
        )
        yield Azure(clock, simulator, endpoints, http, compute)


def run_story[T](story: Callable[[Azure], Awaitable[T]], scenario: list[Json] | None = None, *, seed: int = 0) -> T:
    """Run `story` against a simulator with `scenario`, in virtual time."""

    async def main(clock: Clock) -> T:
        async with azure(clock, scenario, seed=seed) as world:
            return await story(world)

    return run(main, Clock("virtual"))


def linux_vm(name: str = "vm1", **more: Any) -> Json:
    return {"id": f"{COMPUTE}/virtualMachines/{name}", "location": "westeurope", "tags": {}, **more}


def free_disk(name: str, properties: Json | None = None, **more: Any) -> Json:
    inherited: Json = {"osType": "Linux", "hyperVGeneration": "V2", "supportedCapabilities": {"architecture": "x64"}}
    body: Json = {"id": f"{COMPUTE}/disks/{name}", "location": "westeurope", **more}
    return body | {"properties": inherited | {"diskSizeGB": 30} | (properties or {})}


def gallery() -> list[Json]:
    """A gallery in westeurope with a specialised V2 Linux definition and one version of it."""
    definition = {"osType": "Linux", "osState": "Specialized", "hyperVGeneration": "V2"}
    regions = {"publishingProfile": {"targetRegions": [{"name": "westeurope"}]}}
    return [
        {"id": GALLERY, "location": "westeurope"},
        {"id": f"{GALLERY}/images/ubuntu", "location": "westeurope", "properties": definition},
        {"id": VERSION1, "location": "westeurope", "properties": regions},
    ]
