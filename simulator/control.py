"""The simulator's control plane under `/_sim`: operations that ARM does not offer.

Decides the form of its requests and answers. Leaves their effects to `World`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from aiohttp import web

from simulator.arm.access.roles import RoleError, Roles
from simulator.arm.core.fault_rules import RuleError
from simulator.arm.core.services import Services
from simulator.arm.front.seeding import BodyError
from simulator.clock import Clock
from simulator.guests import Guests
from simulator.scenarios import Scenario, ScenarioError

PREFIX = "/_sim"

type Handler = Callable[[web.Request], Awaitable[web.Response]]


class World(Protocol):
    """The parts of the simulator that the control plane reads and changes."""

    clock: Clock
    services: Services
    guests: Guests

    @property
    def roles(self) -> Roles:
        """The role assignments."""

    async def reset(self, scenario: Scenario, seed: int | None) -> None:
        """Start over."""

    def put_resources(self, bodies: list[dict[str, Any]]) -> int:
        """Create or change resources."""

    def remove_resources(self, ids: list[str]) -> int:
        """Remove resources."""

    def resources(self, kind: str | None, resource_id: str | None) -> Iterable[dict[str, Any]]:
        """Full bodies, private keys included."""

    def events(self) -> list[dict[str, Any]]:
        """The Event Grid log."""

    def published(self) -> list[dict[str, Any]]:
        """The events that the custom topic accepted."""


class _BadRequest(ValueError):
    """A request that the control plane cannot read; the text names the fault."""


class ControlPlane:
    """The routes under `/_sim`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """The endpoints, for the simulator's application."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "health", self._health),
            ("POST", "reset", self._reset),
            ("GET", "resources", self._get_resources),
            ("PUT", "resources", self._put_resources),
            ("DELETE", "resources", self._delete_resources),
            ("GET", "journal", self._journal),
            ("GET", "events", self._events),
            ("GET", "published", self._published),
            ("POST", "clock", self._clock),
            ("POST", "faults", self._post_faults),
            ("POST", "faults/plan", self._plan_faults),
            ("DELETE", "faults", self._delete_faults),
            ("GET", "guests", self._guests),
            ("POST", "throttling", self._throttling),
            ("GET", "roles", self._get_roles),
            ("PUT", "roles", self._put_roles),
            ("DELETE", "roles", self._delete_roles),
        ]
        return [web.route(method, f"{PREFIX}/{path}", _guarded(handler)) for method, path, handler in table]

    async def refuse_unknown(self, request: web.Request) -> web.Response:
        """The answer to every other request under `/_sim`: 404 with the requests that there are."""
        known = ", ".join(f"{route.method} {route.path.removeprefix(f'{PREFIX}/')}" for route in self.routes())
        asked = f"{request.method} {request.path.removeprefix(f'{PREFIX}/')}"
        message = f"there is no {asked}; there are {known}"
        return web.json_response({"error": {"code": "NotFound", "message": message}}, status=404)

    async def _health(self, _request: web.Request) -> web.Response:
        clock = self._world.clock
        now = clock.now().isoformat()
        return web.json_response({"status": "ok", "now": now, "speed": clock.speed, "clock": clock.kind})

    async def _reset(self, request: web.Request) -> web.Response:
        body = await _object(request, {"scenario", "seed"})
        seed = body.get("seed")
        if seed is not None and not isinstance(seed, int):
            raise _BadRequest("'seed' is an integer")
        await self._world.reset(body.get("scenario"), seed)
        return web.Response(status=204)

    async def _get_resources(self, request: web.Request) -> web.Response:
        bodies = self._world.resources(request.query.get("type") or None, request.query.get("id") or None)
        return web.json_response(list(bodies))

    async def _put_resources(self, request: web.Request) -> web.Response:
        return web.json_response({"upserted": self._world.put_resources(await _list(request))})

    async def _delete_resources(self, request: web.Request) -> web.Response:
        return web.json_response({"deleted": self._world.remove_resources(await _list(request))})

    async def _journal(self, _request: web.Request) -> web.Response:
        return web.json_response(self._world.services.journal.to_json(self._world.clock.now()))

    async def _events(self, _request: web.Request) -> web.Response:
        return web.json_response(self._world.events())

    async def _published(self, _request: web.Request) -> web.Response:
        return web.json_response(self._world.published())

    async def _clock(self, request: web.Request) -> web.Response:
        body = await _object(request, {"advance_s"})
        seconds = body.get("advance_s", 0)
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
            raise _BadRequest("'advance_s' is a number of seconds, not less than 0")
        self._world.clock.advance(seconds)
        await asyncio.sleep(0)  # timers that are now due run before the answer
        await asyncio.sleep(0)
        return web.json_response({"now": self._world.clock.now().isoformat()})

    async def _post_faults(self, request: web.Request) -> web.Response:
        return web.json_response({"ids": self._world.services.faults.add(await _list(request))})

    async def _plan_faults(self, request: web.Request) -> web.Response:
        body = await _object(request, {"seed", "rate", "kinds", "hang_limit_s"})
        seed, rate, kinds, limit_s = (body.get(key) for key in ("seed", "rate", "kinds", "hang_limit_s"))
        if not isinstance(seed, int) or rate is None:
            raise _BadRequest("a plan has a 'seed', an integer, and a 'rate', a share between 0 and 1")
        if kinds is not None and not isinstance(kinds, list):
            raise _BadRequest("'kinds' is a list")
        self._world.services.faults.plan(seed, rate, kinds, hang_limit_s=limit_s)
        return web.Response(status=204)

    async def _delete_faults(self, _request: web.Request) -> web.Response:
        self._world.services.faults.clear()
        return web.Response(status=204)

    async def _guests(self, _request: web.Request) -> web.Response:
        return web.json_response(self._world.guests.listing())

    async def _throttling(self, request: web.Request) -> web.Response:
        body = await _object(request, {"on"})
        if not isinstance(body.get("on"), bool):
            raise _BadRequest("'on' is true or false")
        self._world.services.limits.enforced = body["on"]
        return web.json_response({"on": body["on"]})

    async def _get_roles(self, _request: web.Request) -> web.Response:
        return web.json_response(self._world.roles.listing())

    async def _put_roles(self, request: web.Request) -> web.Response:
        return web.json_response({"roles": self._world.roles.replace(await _list(request))})

    async def _delete_roles(self, _request: web.Request) -> web.Response:
        self._world.roles.replace([])
        return web.Response(status=204)


def _guarded(handler: Handler) -> Handler:
    """Answer a caller's error with a 400 that names it."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except (_BadRequest, RuleError, RoleError, BodyError, ScenarioError) as error:
            return web.json_response({"error": {"code": "BadRequest", "message": str(error)}}, status=400)

    return handle


async def _json(request: web.Request) -> Any:
    raw = await request.read()
    try:
        return json.loads(raw) if raw.strip() else None
    except ValueError as error:
        raise _BadRequest(f"the body is not JSON: {error}") from error


async def _object(request: web.Request, known: set[str]) -> dict[str, Any]:
    body = await _json(request) or {}
    if not isinstance(body, dict):
        raise _BadRequest("the body is not a JSON object")
    for key in body:
        if key not in known:
            raise _BadRequest(f"unknown key {key!r}")
    return body


async def _list(request: web.Request) -> list[Any]:
    body = await _json(request)
    if not isinstance(body, list):
        raise _BadRequest("the body is not a JSON list")
    return body
