"""A custom topic, to which applications publish batches of CloudEvents.

Decides which events are accepted and which are refused, and keeps the accepted ones. Does not deliver them.
https://learn.microsoft.com/azure/event-grid/post-to-custom-topic
https://learn.microsoft.com/azure/event-grid/cloudevents-schema
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from simulator.arm.core.faults import Faults
from simulator.arm.front.server import cut, fault_answer
from simulator.clock import Clock
from simulator.identity import claims_of

TOPIC_PATH = "/api/events"
API_VERSION = "2018-01-01"
AUDIENCE = "https://eventgrid.azure.net"
MAX_BODY_BYTES = 1024 * 1024
_BATCH, _SINGLE = "application/cloudevents-batch+json", "application/cloudevents+json"
# https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes
_REQUIRED = ("id", "source", "specversion", "type")


class _Refusal(Exception):
    """A refused request: HTTP status and message. The statuses are documented by Azure, the messages are not."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Topic:
    """The one topic of a simulator, for CloudEvents 1.0; `published` holds the accepted events, oldest first."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        """Accept events with the time of `clock`; `faults` that match the path apply to requests."""
        self._clock, self._faults = clock, faults
        self.published: list[dict[str, Any]] = []

    def routes(self) -> list[web.RouteDef]:
        """The endpoint, for the simulator's application."""
        return [web.post(TOPIC_PATH, self._post)]

    async def _post(self, request: web.Request) -> web.Response:
        raw = await request.read()
        fault = self._faults.request_fault(request.method, request.path)
        if fault.reset == "before":
            return cut(request)
        if fault.respond is not None:
            answer = fault_answer(fault.respond)
            status, body, headers = answer.status, answer.body, answer.headers
        else:
            status, body, headers = *self._accept(request, raw, nothing=fault.nothing), {}
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if fault.reset:
            return cut(request)
        text = b"" if body is None else json.dumps(body).encode()
        return web.Response(status=status, body=text, headers={"Content-Type": "application/json", **headers})

    def _accept(self, request: web.Request, raw: bytes, *, nothing: bool) -> tuple[int, Any]:
        try:
            _check_caller(request)
            events = _read(request, raw)
        except _Refusal as refusal:
            error = {"code": refusal.code, "message": refusal.message}
            return refusal.status, {"error": {**error, "details": [error]}}
        if not nothing:
            at = self._clock.now().isoformat()
            self.published.extend({"t": at, "event": event} for event in events)
        return 200, None


def _check_caller(request: web.Request) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    claims = claims_of(token.strip()) if scheme.lower() == "bearer" else None
    if claims is None:
        raise _Refusal(401, "Unauthorized", "Request must carry a valid bearer token for this topic.")
    # A token made by hand has no audience.
    if str(claims.get("aud", AUDIENCE)).rstrip("/") != AUDIENCE:
        raise _Refusal(401, "Unauthorized", f"The token's audience is not {AUDIENCE}.")


def _read(request: web.Request, raw: bytes) -> list[dict[str, Any]]:
    if len(raw) > MAX_BODY_BYTES:
        raise _Refusal(413, "RequestEntityTooLarge", "The maximum size (1048576) has been exceeded.")
    if request.query.get("api-version") != API_VERSION:
        raise _Refusal(400, "BadRequest", f"The api-version is not {API_VERSION}.")
    if request.content_type not in (_BATCH, _SINGLE):
        raise _Refusal(400, "BadRequest", f"This topic expects CloudEvents, not {request.content_type}.")
    try:
        body = json.loads(raw)
    except ValueError:
        raise _Refusal(400, "BadRequest", "The body is not JSON.") from None
    events = body if request.content_type == _BATCH else [body]
    if not isinstance(events, list) or not all(map(_is_event, events)):
        raise _Refusal(400, "BadRequest", f"Not CloudEvents 1.0 with {', '.join(_REQUIRED)}.")
    return events


def _is_event(event: object) -> bool:
    texts = isinstance(event, Mapping) and all(isinstance(event.get(name), str) and event[name] for name in _REQUIRED)
    return texts and isinstance(event, Mapping) and event["specversion"] == "1.0"
