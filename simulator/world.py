"""One simulator: everything that `serve` runs, on one clock and one event loop.

Decides how the parts are connected and how they start and stop. Leaves their behaviour to the parts.
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
from simulator.resource_graph import ResourceGraph, Tenant
from simulator.scenarios import Scenario, load
from simulator.tls import Certificates

_HOST = "127.0.0.1"

# No timeout in simulated time: a minute of a client's real time may be hours of simulated time.
_NEVER_S = 1e7
_MAX_BODY_BYTES = 256 * 1024**2


class StartError(RuntimeError):
    """The app cannot start on the simulator with this setup; the text names what to correct."""


@dataclass(frozen=True)
class Endpoints:
    """The addresses of a started simulator, for clients and for the line that `serve` prints."""

    arm: str
    arm_tls: str
    ca_file: str
    identity_endpoint: str
    identity_header: str
    control: str
    topic: str
    functions: str | None = None

    def to_json(self) -> dict[str, str]:
        """The endpoints by name, without those that do not run."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Simulator:
    """A simulated Azure. Tests in the same process use `store`, `operations`, `event_grid` and `journal`.

    `endpoints` holds its addresses once it has started; `seed` is the seed it was made with.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        ports: tuple[int, int] = (0, 0),
        seed: int = 0,
        scenario: str | Path | list[dict[str, Any]] | None = None,
        chaos: Chaos | None = None,
        throttle: bool = False,
    ) -> None:
        """Make a simulator on `clock` that will listen on 127.0.0.1. Start it on the clock's loop.

        `ports` are those of http and https; 0 is any. `throttle`: rate limits are enforced from the start, not only
        reported in headers.
        """
        self.clock = clock
        self.event_grid = EventGrid(clock, chaos, tenant_id=TENANT_ID)
        self.services = Services(clock, seed, [self.event_grid.on_write], throttle=throttle)
        tenant = Tenant(
            id=TENANT_ID,
            resources=self._indexed,
            subscriptions=self._subscription_ids,
            subscriptions_of=self._subscriptions_of,
            may_read=lambda principal, resource_id, kind: self.roles.allows(principal, f"{kind}/read", resource_id),
            may_see=lambda principal, subscription: self.roles.sees(principal, f"/subscriptions/{subscription}"),
        )
        self.graph = ResourceGraph(clock, tenant, throttles=lambda: self.services.limits.enforced)
        self._router = Router(self.services, self._answer_graph)
        self.guests = Guests(self.services)
        self.topic = Topic(clock, self.services.faults)
        self._identity = Identity(TENANT_ID)
        self._ports = ports
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
        """The role assignments."""
        return self._router.access.roles

    @property
    def journal(self) -> Journal:
        """The requests received, and when each VM was down."""
        return self.services.journal

    async def start(self) -> Endpoints:
        """Load the scenario and listen; returns the addresses. ScenarioError, BodyError, OSError (port taken)."""
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
        """Stop listening and delivering; operations under way have no further effect."""
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
        """Create or change resources from ARM bodies (only `id` is required), without an event or an operation."""
        return put_resources(self.services, self._router, bodies)

    def remove_resources(self, ids: list[str]) -> int:
        """Remove resources; returns how many existed."""
        return remove_resources(self.services, ids)

    def resources(self, kind: str | None = None, resource_id: str | None = None) -> Iterator[Json]:
        """Full ARM bodies with the simulator's private keys: all, or those of a type or with an id."""
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
        """The events that the custom topic accepted."""
        return self.topic.published

    def _fill(self, bodies: list[Json]) -> None:
        """Load a scenario; one without a subscription gets an empty one."""
        self.put_resources(bodies)
        if not self.store.subscriptions:
            self.services.add_subscription(DEFAULT_SUBSCRIPTION)

    def _application(self) -> web.Application:
        application = web.Application(
            client_max_size=_MAX_BODY_BYTES, middlewares=[journaled(self.services, PREFIX, TOPIC_PATH)]
        )
        control = ControlPlane(self)
        application.add_routes(control.routes())
        application.router.add_route("*", f"{PREFIX}/{{path:.*}}", control.refuse_unknown)
        application.add_routes(self._identity.routes())
        application.add_routes(self.topic.routes())
        application.router.add_get(f"{BLOBS}{{path:.*}}", self._blob)
        application.router.add_route("*", "/{path:.*}", ArmServer(self.services, self._router).handle)
        return application

    async def _blob(self, request: web.Request) -> web.Response:
        """Serve a link to boot diagnostics. Like Azure Storage it needs a signature, not a token."""
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
