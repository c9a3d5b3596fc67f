"""The HTTP server of an app: its own routes, the Event Grid webhook and the host's admin endpoint.

Decides how HTTP becomes a trigger's value and how a function's result becomes HTTP. Takes the app's routes from its
bindings. Function keys are not checked: the host listens on loopback only. No answer contains a stack trace.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from simulator.clock import Clock
from simulator.durable import FunctionFailed
from simulator.functions.indexing import IndexedFunction
from simulator.functions.invocation import Invoker
from simulator.functions.protos import RpcHttp, TypedData
from simulator.functions.timers import fire, timer_value

_log = logging.getLogger(__name__)
_PARAMETER = re.compile(r"\{(\*?)([A-Za-z_][A-Za-z0-9_]*)\}")
_BODY_LIMIT = 100 * 1024 * 1024
_ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class BadRoute(ValueError):
    """A route in a form that the local host does not support; the message names the function."""


class Routes:
    """The routes of one app."""

    def __init__(self, clock: Clock, functions: Iterable[IndexedFunction], invoker: Invoker, prefix: str) -> None:
        self._clock = clock
        self._invoker = invoker
        self._functions = {function.name.lower(): function for function in functions}
        self._prefix = prefix
        self._fired: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        """The aiohttp application. BadRoute names a function whose route has an unsupported form."""
        app = web.Application(client_max_size=_BODY_LIMIT)
        app.router.add_post("/runtime/webhooks/eventgrid", self._event_grid)
        app.router.add_post("/admin/functions/{name}", self._admin)
        for function in self._functions.values():
            if function.trigger["type"] == "httpTrigger":
                self._add(app, function)
        return app

    def _add(self, app: web.Application, function: IndexedFunction) -> None:
        route = function.trigger.get("route") or function.name
        pattern = _PARAMETER.sub(lambda match: f"{{{match[2]}{':.*' if match[1] else ''}}}", route)
        if _PARAMETER.sub("", route).strip("/").count("{"):
            raise BadRoute(f"{function.name}: only {{name}} and {{*name}} are supported in routes, not {route!r}")
        path = "/" + "/".join(part for part in (self._prefix, pattern.strip("/")) if part)

        async def handle(request: web.Request) -> web.Response:
            return await self._http(function, request)

        for method in function.trigger.get("methods") or _ALL_METHODS:
            app.router.add_route(str(method).upper(), path, handle)

    async def _http(self, function: IndexedFunction, request: web.Request) -> web.Response:
        value = RpcHttp(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            params=dict(request.match_info),
            query=dict(request.query),
            body=TypedData(bytes=await request.read()),
        )
        try:
            result = await self._invoker.call(function, TypedData(http=value))
        except FunctionFailed as failure:
            _log.error("%s failed: %s\n%s", function.name, failure, failure.stack_trace)
            return web.Response(status=500)
        return _response(result)

    async def _event_grid(self, request: web.Request) -> web.Response:
        """The webhook of the Event Grid extension.

        https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
        """
        name = request.query.get("functionName", "")
        function = self._functions.get(name.lower())
        if function is None or function.trigger["type"] != "eventGridTrigger":
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        try:
            events = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400, text="the body is not JSON")
        events = events if isinstance(events, list) else [events]
        if not all(isinstance(event, dict) for event in events):
            return web.Response(status=400, text="an event is a JSON object")
        match request.headers.get("aeg-event-type", ""):
            case "SubscriptionValidation":
                return _validate(events)
            case "Notification":
                return await self._notify(function, events)
            case "Unsubscribe":
                return web.Response(status=202)
            case other:
                return web.Response(status=400, text=f"unknown aeg-event-type: '{other}'")

    async def _notify(self, function: IndexedFunction, events: list[Any]) -> web.Response:
        calls = (self._invoker.call(function, TypedData(json=json.dumps(one))) for one in events)
        failures = [
            outcome
            for outcome in await asyncio.gather(*calls, return_exceptions=True)
            if isinstance(outcome, BaseException)
        ]
        for failure in failures:
            if not isinstance(failure, FunctionFailed):
                raise failure
            _log.error("%s failed: %s\n%s", function.name, failure, failure.stack_trace)
        if failures:
            return web.Response(status=500, text=f"Exception while executing function: {function.name}")
        return web.Response(status=202)

    async def _admin(self, request: web.Request) -> web.Response:
        """Start a function that has no HTTP trigger, with `{"input": …}`, without waiting for it.

        https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
        """
        name = request.match_info["name"]
        function = self._functions.get(name.lower())
        if function is None:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        try:
            body = json.loads(await request.read() or "{}")
            given = body.get("input") if isinstance(body, dict) else None
        except ValueError:
            return web.Response(status=400, text="the body is not JSON")
        match function.trigger["type"]:
            case "timerTrigger":
                value = timer_value(None, self._clock.now(), past_due=False)
            case "eventGridTrigger" | "activityTrigger":
                value = TypedData(json=given if isinstance(given, str) else json.dumps(given))
            case kind:
                return web.Response(status=400, text=f"{function.name} is a {kind} function and cannot be started here")
        task = asyncio.get_running_loop().create_task(fire(self._invoker, function, value))
        self._fired.add(task)
        task.add_done_callback(self._fired.discard)
        return web.Response(status=202)


def _validate(events: list[dict[str, Any]]) -> web.Response:
    data = events[0].get("data") if events else None
    if not isinstance(data, dict) or "validationCode" not in data:
        return web.Response(status=400, text="no validationCode in the event's data")
    return web.json_response({"validationResponse": data["validationCode"]})


def _response(result: TypedData | None) -> web.Response:
    if result is None:
        return web.Response(status=204)
    if result.WhichOneof("data") != "http":
        return web.Response(text=str(result.string), content_type="text/plain")
    http = result.http
    headers = {name: value for name, value in http.headers.items() if name.lower() != "content-length"}
    return web.Response(status=int(http.status_code), headers=headers, body=http.body.bytes)
