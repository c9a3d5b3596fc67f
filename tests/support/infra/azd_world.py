"""A local Azure for deployments: resources of the compiled template, the built app, App Service authentication.

Decides which resources of a template have an effect: the app's settings, roles, gallery and authentication. The others
have none. Does not know azd.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from simulator.clock import Clock
from simulator.engine.azure_storage import AzureStorageEngine
from simulator.engine.azurite import Azurite
from simulator.engine.kinds import EngineKind
from simulator.engine.strict_storage import StrictStorage
from simulator.functions.host import FunctionsHost
from simulator.world import Endpoints, Simulator
from tests.support.infra.azd import ROOT, Compiled
from tests.support.infra.deployed_roles import PEOPLE
from tools import package

APP_ID = "33333333-3333-4333-8333-333333333333"
"""Client id and object id of the app's identity, which Azure creates."""

_CONFIG = "Microsoft.Web/sites/config"
_ROLE, _ASSIGNMENT = (f"Microsoft.Authorization/role{what}" for what in ("Definitions", "Assignments"))
_AT_SUBSCRIPTION = re.compile(r"\[subscriptionResourceId\('([^']+)', 'Microsoft.Authorization/roleAssignments'")
_AT_GROUP = re.compile(r"\[resourceId\('([^']+)', '([^']+)', 'Microsoft.Authorization/roleAssignments'")


@dataclass
class World:
    """A local Azure without a deployment at first; `app_url` is the address of the app to be deployed."""

    clock: Clock
    simulator: Simulator
    endpoints: Endpoints
    http: aiohttp.ClientSession
    folder: Path
    engine: EngineKind
    storage: str | None = None
    app_url: str = ""
    host: FunctionsHost | None = None
    settings: dict[str, str] = field(default_factory=dict)
    auth: dict[str, Any] = field(default_factory=dict)
    deployments: int = 0
    _app: str = ""

    def provision(self, compiled: Compiled) -> dict[str, str]:
        """Create the template's resources and return its outputs. AssertionError for an output of unknown value."""
        self.auth = compiled.properties(_CONFIG, "/authsettingsV2")
        self.settings = {name: str(value) for name, value in compiled.properties(_CONFIG, "/appsettings").items()}
        galleries = [each["id"] for each in compiled.resources if each["type"] == "Microsoft.Compute/galleries"]
        self.simulator.put_resources([{"id": each, "location": "westeurope"} for each in galleries])
        self.simulator.roles.replace([*_roles(compiled), {"scope": "/", "actions": ["*"], "principal": PEOPLE}])
        made = {
            "FUNCTION_APP_URL": self.app_url,
            "IDENTITY_PRINCIPAL_ID": APP_ID,
            "OUTCOME_TOPIC_ENDPOINT": self.endpoints.topic,
        }
        outputs = {name: str(compiled.outputs[name]) for name in compiled.template["outputs"]}
        unknown = {name for name, value in outputs.items() if value.startswith("[")}
        assert unknown == set(made), f"outputs with a value of Azure: {unknown}"
        return outputs | made

    async def deploy(self) -> None:
        """Build the package and run it instead of the previous one, with the settings of the last provisioning."""
        self.deployments += 1
        app = self.folder / f"app-{self.deployments}"
        package.build(ROOT, app.with_suffix(".zip"))
        with zipfile.ZipFile(app.with_suffix(".zip")) as built:
            built.extractall(app)
        # Each deployment is a different package: its swaps wait for its own self-check.
        (app / "refresh" / "deployment.py").write_text(f'"""Deployment {self.deployments}."""\n')
        before = self.host
        await self.stop()
        more: dict[str, Any] = {"hub": before.hub} if before is not None and self.engine == "simulated" else {}
        if self.engine == "azure-storage":
            more["engine"] = AzureStorageEngine(app, storage=self.storage, task_hub="rehearsal")
        self.host = FunctionsHost(app, self.clock, settings=self._settings(), port=0, **more)
        self._app = await self.host.start()

    async def stop(self) -> None:
        """Stop the app if it runs; its durable state stays."""
        if self.host is None:
            return
        wiring = sys.modules.get("refresh.wiring")
        await self.host.stop()
        self.host, self._app = None, ""
        if wiring is not None:
            await wiring.close()

    async def subscribe(self) -> None:
        """Subscribe the app to tag edits, as the deployment of events.bicep does."""
        await self.simulator.event_grid.subscribe(
            f"{self.app_url}/runtime/webhooks/eventgrid?functionName=on_resource_write"
        )

    async def arm(self, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """Send one ARM request as a person."""
        headers, params = {"Authorization": f"Bearer {PEOPLE}"}, {"api-version": "2024-07-01", **query}
        url = f"{self.endpoints.arm}{path}"
        async with self.http.request(method, url, json=body, headers=headers, params=params) as answer:
            assert answer.status < 400, await answer.text()
            return dict(await answer.json(content_type=None) or {})

    def _settings(self) -> dict[str, str]:
        """The template's settings as Azure has them, with the addresses of this machine."""
        here = {
            "REFRESH_ARM_ENDPOINT": self.endpoints.arm,
            "REFRESH_OUTCOME_TOPIC": self.endpoints.topic,
            "IDENTITY_ENDPOINT": self.endpoints.identity_endpoint,
            "IDENTITY_HEADER": self.endpoints.identity_header,
            "AZURE_CLIENT_ID": APP_ID,
            "WEBSITE_AUTH_ENABLED": str(self.auth["platform"]["enabled"]),
        }
        # Only the host uses the storage account and Application Insights.
        own = {name: value for name, value in self.settings.items() if not value.startswith("[")}
        hosts = ("AzureWebJobsStorage__", "APPLICATIONINSIGHTS_")
        left = [name for name in self.settings if name not in own and name not in here and not name.startswith(hosts)]
        assert left == [], f"settings with a value of Azure: {left}"
        return own | here

    async def front_end(self, request: web.Request) -> web.Response:
        """Apply App Service authentication as the template configures it, and forward the request to the app.

        A token here is `<object id>@<audience>`. https://learn.microsoft.com/azure/app-service/overview-authentication-authorization
        """
        if not self.auth:
            return web.Response(status=404)
        headers = {name: value for name, value in request.headers.items() if not name.lower().startswith("x-ms-client")}
        if self.auth["platform"]["enabled"] and request.path not in self.auth["globalValidation"]["excludedPaths"]:
            rules = self.auth["identityProviders"]["azureActiveDirectory"]["validation"]
            caller, _, audience = headers.get("Authorization", "").removeprefix("Bearer ").partition("@")
            if audience not in rules["allowedAudiences"]:
                return web.json_response({"title": "Unauthorized"}, status=401)
            if caller not in rules["defaultAuthorizationPolicy"]["allowedPrincipals"]["identities"]:
                return web.json_response({"title": "Forbidden"}, status=403)
            headers["X-MS-CLIENT-PRINCIPAL-ID"] = caller
        if not self._app:
            return web.json_response({"title": "Service unavailable"}, status=503)
        return await self._forward(request, headers)

    async def _forward(self, request: web.Request, headers: Mapping[str, str]) -> web.Response:
        kept = {name: value for name, value in headers.items() if name.lower() not in ("host", "content-length")}
        url, data = f"{self._app}{request.path_qs}", await request.read()
        async with self.http.request(request.method, url, data=data, headers=kept) as answer:
            kind = answer.headers.get("Content-Type", "application/json")
            return web.Response(status=answer.status, body=await answer.read(), headers={"Content-Type": kind})


@asynccontextmanager
async def empty_world(
    clock: Clock, scenario: list[dict[str, Any]], folder: Path, engine: EngineKind
) -> AsyncIterator[World]:
    """A local Azure with `scenario`, where only the app's built package can be imported."""
    async with AsyncExitStack() as stack:
        stack.enter_context(_imported_anew("refresh", "function_app"))
        simulator = Simulator(clock, scenario=scenario, seed=7)
        endpoints = await simulator.start()
        stack.push_async_callback(simulator.stop)
        timeout = aiohttp.ClientTimeout(total=3600)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        world = World(clock, simulator, endpoints, http, folder, engine)
        if engine == "azure-storage":
            azurite = await stack.enter_async_context(Azurite())
            world.storage = (await stack.enter_async_context(StrictStorage(azurite))).connection_string
        runner = web.AppRunner(web.Application(), access_log=None, keepalive_timeout=1e7, shutdown_timeout=1)
        runner.app.router.add_route("*", "/{path:.*}", world.front_end)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        world.app_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        stack.push_async_callback(world.stop)
        yield world


def _roles(compiled: Compiled) -> list[dict[str, Any]]:
    """The app's custom roles at their scopes; built-in roles are for data, which the local Azure does not protect."""
    actions = {
        each["id"]: [action for one in each["properties"]["permissions"] for action in one["actions"]]
        for each in compiled.resources
        if each["type"] == _ROLE
    }
    assigned = [each for each in compiled.resources if each["type"] == _ASSIGNMENT]
    ours = [each for each in assigned if each["properties"]["roleDefinitionId"] in actions]
    return [
        {"scope": _scope_of(each), "actions": actions[each["properties"]["roleDefinitionId"]], "principal": APP_ID}
        for each in ours
    ]


def _scope_of(assignment: Mapping[str, Any]) -> str:
    if found := _AT_SUBSCRIPTION.match(assignment["id"]):
        return f"/subscriptions/{found[1]}"
    if found := _AT_GROUP.match(assignment["id"]):
        return f"/subscriptions/{found[1]}/resourceGroups/{found[2]}"
    raise AssertionError(f"a role is assigned at a scope of an unknown form: {assignment['id'][:200]}")


@contextmanager
def _imported_anew(*names: str) -> Iterator[None]:
    """Remove the repository's modules with these names from `sys.modules` for the duration of the block."""
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in names}
    for name in kept:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in names]:
            del sys.modules[name]
        sys.modules.update(kept)
