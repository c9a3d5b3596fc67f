"""One simulator: everything `serve` runs, on one clock and one event loop.

This room decides how the parts are put together and how they start and stop. It refuses to know what any of them does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from simulator.arm.access.roles import Roles
from simulator.arm.core.journal import Journal
from simulator.arm.core.operations import Operations
from simulator.arm.core.services import DEFAULT_SUBSCRIPTION, TENANT_ID, Services
from simulator.arm.core.store import Json, Store
from simulator.arm.front.router import Router
from simulator.arm.front.seeding import put_resources, remove_resources
from simulator.arm.front.server import ArmServer, journaled
from simulator.arm.vms.boot_diagnostics import BLOBS, BootDiagnostics
from simulator.clock import Clock
from simulator.control import PREFIX, ControlPlane
from simulator.eventgrid import Chaos, EventGrid
from simulator.eventgrid.topic import TOPIC_PATH, Topic
from simulator.guests import Guests
from simulator.identity import IDENTITY_PATH, Identity
from simulator.resource_graph import ResourceGraph
from simulator.scenarios import Scenario, load
from simulator.tls import Certificates

_HOST = "127.0.0.1"

# Simulated time runs fast: a connection a client holds for a minute of its own may see hours of ours.
_NEVER_S = 1e7
_MAX_BODY_BYTES = 256 * 1024**2


class StartError(RuntimeError):
    """What should run on the simulator cannot, as it is set up; the text says what to correct."""


@dataclass(frozen=True)
class Endpoints:
    """Where a started simulator listens, for clients and for the one line `serve` prints."""

    arm: str
    arm_tls: str
    ca_file: str
    identity_endpoint: str
    identity_header: str
    control: str
    topic: str
    functions: str | None = None

    def to_json(self) -> dict[str, str]:
        """The endpoints by name; those that do not run are left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Simulator:
    """A pretend Azure. `store`, `operations`, `event_grid` and `journal` are open to tests in the same process.

    `endpoints` says where it listens, once it has started; `seed` is what it was made with.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        port: int = 0,
        tls_port: int = 0,
        seed: int = 0,
        scenario: str | Path | list[dict[str, Any]] | None = None,
        chaos: Chaos | None = None,
        throttle: bool = False,
    ) -> None:
        """Make a simulator on `clock` that will listen on 127.0.0.1; port 0 is any. Start it on the clock's loop.

        `throttle`: rate limits are enforced from the start, rather than only told.
        """
        self.clock = clock
        self.event_grid = EventGrid(clock, chaos, tenant_id=TENANT_ID)
        self.services = Services(clock, seed, [self.event_grid.on_write], throttle=throttle)
        self.graph = ResourceGraph(
            clock,
            self._indexed,
            self._subscription_ids,
            self._subscriptions_of,
            tenant_id=TENANT_ID,
            readable=lambda principal, resource_id, kind: self.roles.allows(principal, f"{kind}/read", resource_id),
            seen=lambda principal, subscription: self.roles.sees(principal, f"/subscriptions/{subscription}"),
            throttles=lambda: self.services.limits.enforced,
        )
        self._router = Router(self.services, self._answer_graph)
        self.guests = Guests(self.services)
        self.topic = Topic(clock, self.services.faults)
        self._identity = Identity(TENANT_ID)
        self._ports = (port, tls_port)
        self.seed, self._scenario = seed, scenario
        self._runner: web.AppRunner | None = None
        self._servers: list[asyncio.Server] = []
        self._certificates: Certificates | None = None
        self.endpoints: Endpoints | None = None

    @property
    def store(self) -> Store:
        """Every resource."""
        return self.services.store

    @property
    def operations(self) -> Operations:
        """Every long-running operation."""
        return self.services.operations

    @property
    def roles(self) -> Roles:
        """Who may do what."""
        return self._router.access.roles

    @property
    def journal(self) -> Journal:
        """What was asked and which VM was down when."""
        return self.services.journal

    async def start(self) -> Endpoints:
        """Load the scenario, listen on http and https and say where. ScenarioError, BodyError, OSError (port taken)."""
        self._fill(load(self._scenario))
        self._certificates = Certificates()
        self._runner = web.AppRunner(
            self._application(), access_log=None, keepalive_timeout=_NEVER_S, shutdown_timeout=1
        )
        try:
            await self._runner.setup()
            http = await self._listen(self._ports[0])
            https = await self._listen(self._ports[1], self._certificates)
        except BaseException:
            await self.stop()
            raise
        arm = f"http://{_HOST}:{http}"
        self.endpoints = Endpoints(
            arm=arm,
            arm_tls=f"https://{_HOST}:{https}",
            ca_file=self._certificates.ca_file,
            identity_endpoint=f"{arm}{IDENTITY_PATH}",
            identity_header=self._identity.header,
            control=f"{arm}{PREFIX}",
            topic=f"{arm}{TOPIC_PATH}",
        )
        return self.endpoints

    async def stop(self) -> None:
        """Stop listening, delivering and working; operations under way have no effect any more."""
        self.services.operations.reset(self.seed)
        self.guests.close()
        await self.event_grid.close()
        for server in self._servers:
            server.close()
        self._servers.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._certificates is not None:
            self._certificates.remove()
            self._certificates = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def reset(self, scenario: Scenario, seed: int | None) -> None:
        """Start over with `scenario` and `seed`; None means those the simulator was made with."""
        bodies = load(self._scenario if scenario is None else scenario)
        self.services.reset(self.seed if seed is None else seed)
        self.guests.close()
        await self.event_grid.clear()
        self.topic.published.clear()
        self._fill(bodies)

    def put_resources(self, bodies: list[dict[str, Any]]) -> int:
        """Put full ARM bodies (only `id` is required) into the world: no event, no operation."""
        return put_resources(self.services, self._router, bodies)

    def remove_resources(self, ids: list[str]) -> int:
        """Take resources out of the world; returns how many there were."""
        return remove_resources(self.services, ids)

    def resources(self, kind: str | None = None, resource_id: str | None = None) -> Iterator[Json]:
        """Full ARM bodies with the simulator's private keys, all or those of a type or with an id."""
        for record in self.store.everything():
            if kind is not None and record.id.type.lower() != kind.lower():
                continue
            if resource_id is not None and record.id.key != resource_id.lower():
                continue
            provider = self._router.type_of(record.id.type)
            yield {**provider.render(record, None), **provider.scenario_keys(record)}

    def events(self) -> list[dict[str, Any]]:
        """The Event Grid log."""
        return self.event_grid.log()

    def published(self) -> list[dict[str, Any]]:
        """What the custom topic took."""
        return self.topic.published

    def _fill(self, bodies: list[Json]) -> None:
        """Take a scenario; one that names no subscription gets an empty one."""
        self.put_resources(bodies)
        if not self.store.subscriptions:
            self.services.add_subscription(DEFAULT_SUBSCRIPTION)

    def _application(self) -> web.Application:
        application = web.Application(
            client_max_size=_MAX_BODY_BYTES, middlewares=[journaled(self.services, PREFIX, TOPIC_PATH)]
        )
        application.add_routes(ControlPlane(self).routes())
        application.add_routes(self._identity.routes())
        application.add_routes(self.topic.routes())
        application.router.add_get(f"{BLOBS}{{path:.*}}", self._blob)
        application.router.add_route("*", "/{path:.*}", ArmServer(self.services, self._router).handle)
        return application

    async def _blob(self, request: web.Request) -> web.Response:
        """What a link to boot diagnostics leads to; like Azure Storage it asks for a signature, not for a token."""
        expires, signature = request.query.get("se", ""), request.query.get("sig", "")
        status, kind, body = BootDiagnostics(self.services).blob(request.path, expires, signature)
        return web.Response(status=status, content_type=kind, body=body)

    async def _listen(self, port: int, certificates: Certificates | None = None) -> int:
        assert self._runner is not None
        assert self._runner.server is not None
        context = certificates.context if certificates else None
        handshake_s = _NEVER_S if context else None
        server = await asyncio.get_running_loop().create_server(
            self._runner.server, _HOST, port, ssl=context, ssl_handshake_timeout=handshake_s, reuse_address=True
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _indexed(self) -> Iterable[Mapping[str, Any]]:
        for record in self.store.everything():
            provider = self._router.type_of(record.id.type)
            yield provider.indexed(record) if provider.indexed else record.body

    def _subscription_ids(self) -> Iterable[str]:
        return [str(each["subscriptionId"]) for each in self.store.subscriptions.values()]

    def _subscriptions_of(self, management_group: str) -> Iterable[str]:
        return self._router.groups.subscriptions_of(management_group)

    def _answer_graph(self, body: Mapping[str, Any], principal: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        return self.graph.answer(body, principal)
