"""ARM over HTTP: one aiohttp handler around the router.

Decides the headers of every answer (ids, simulated date, counters), which tokens are accepted, and what the journal
records. Does not know resources.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from random import Random
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from simulator.arm.core.errors import ArmError, invalid_content, unauthenticated
from simulator.arm.core.fault_plans import RequestFault
from simulator.arm.core.ids import parse_path
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.operations import guid
from simulator.arm.core.services import Services
from simulator.arm.front.router import Router
from simulator.identity import principal_of

_CUT = web.RequestKey("cut", bool)  # set on a request whose connection a fault broke
_JSON = "application/json; charset=utf-8"
_CHALLENGE = 'Bearer authorization_uri="https://login.microsoftonline.com/common", error="invalid_token"'


class ArmServer:
    """Converts HTTP requests to ARM requests, and answers back to HTTP."""

    def __init__(self, services: Services, router: Router) -> None:
        self._services, self._router = services, router
        self._ids = Random(0)  # noqa: S311 # request ids: reproducible, not secret

    async def handle(self, http: web.Request) -> web.Response:
        """Answer one ARM request."""
        raw = await http.read()
        request_id = guid(self._ids)
        fault = self._services.faults.request_fault(http.method, http.path)
        if fault.reset == "before":
            return cut(http)
        planned = fault.respond
        if planned is None:
            answer = self._answer(http, raw, request_id, fault)
            for change in self._services.on_answer:
                change(http.method, http.path, answer)
        else:
            answer = fault_answer(planned)
        if delay_s := answer.delay_s + fault.delay_s:
            await asyncio.sleep(delay_s)
        return cut(http) if fault.reset else self._response(answer, request_id)

    def _answer(self, http: web.Request, raw: bytes, request_id: str, fault: RequestFault) -> Answer:
        public = http.path.lower() == "/metadata/endpoints"
        request: Request | None = None
        try:
            if public:
                return Answer(200, _metadata(_base_url(http)))
            principal = _principal(http)
            request = replace(_request(http, raw, request_id, principal), nothing=fault.nothing)
            self._check_limits(request)
            answer = self._handle(request, fault.stale_s)
            self._count(request, answer.headers, provider=answer.counted)
        except ArmError as error:
            answer = Answer(error.status, error.body(), error.headers)
            if error.status == 401:
                answer.headers["WWW-Authenticate"] = _CHALLENGE
            elif request is not None and error.status != 429:
                # The front end's own refusals are counted, but their answers carry no counters.
                headers = answer.headers if error.by_provider else {}
                self._count(request, headers, provider=error.by_provider)
        return answer

    def _handle(self, request: Request, stale_s: float) -> Answer:
        """Answer a write, or a read with the content of `stale_s` seconds ago."""
        if request.method in ("GET", "HEAD"):
            with self._services.as_of(stale_s) if stale_s else nullcontext():
                return self._router.handle(request)
        self._services.history.remember(request.id)
        return self._router.handle(request)

    def _check_limits(self, request: Request) -> None:
        """Refuse a request for which a counter has run out, if counters are enforced."""
        subscription, limits = request.id.subscription, self._services.limits
        if subscription is None or not limits.enforced:
            return
        limits.check_caller(request.method, subscription.lower(), request.principal)
        kind, what = self._router.counted_as(request)
        limits.check_resource(request.method, kind, what, subscription.lower(), request.id.key)

    def _count(self, request: Request, headers: dict[str, str], *, provider: bool) -> None:
        """Count the request and add the counters to `headers`."""
        subscription = request.id.subscription
        if subscription is None:
            return
        headers |= self._services.limits.subscription_headers(request.method, subscription.lower(), request.principal)
        if provider:
            kind, what = self._router.counted_as(request)
            key = request.id.key
            headers |= self._services.limits.resource_header(request.method, kind, what, subscription.lower(), key)

    def _response(self, answer: Answer, request_id: str) -> web.Response:
        headers = {
            "Cache-Control": "no-cache",
            "Date": _http_date(self._services.now()),
            "x-ms-request-id": request_id,
            "x-ms-correlation-request-id": request_id,
            "x-ms-routing-request-id": f"LOCAL:{self._services.now():%Y%m%dT%H%M%SZ}:{request_id}",
            **answer.headers,
        }
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        if isinstance(answer.body, str | bytes):
            body = answer.body.encode() if isinstance(answer.body, str) else answer.body
            return web.Response(status=answer.status, headers=headers, body=body)
        body = json.dumps(answer.body, separators=(",", ":")).encode()
        return web.Response(status=answer.status, headers={"Content-Type": _JSON, **headers}, body=body)


def journaled(services: Services, *unlisted: str) -> Middleware:
    """A middleware that records every request in the journal, except below `unlisted` paths; status 0: no answer."""

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(unlisted):
            return await handler(request)
        begun_s, at = services.clock.time(), services.now()
        raw = await request.read()
        response = await handler(request)
        services.journal.request(
            t=at.isoformat(),
            method=request.method,
            path=request.path,
            query=request.query_string,
            status=0 if request.get(_CUT) else response.status,
            duration_s=services.clock.time() - begun_s,
            client_request_id=request.headers.get("x-ms-client-request-id"),
            body_sha256=hashlib.sha256(raw).hexdigest() if raw else None,
        )
        return response

    return note


def cut(http: web.Request) -> web.Response:
    """Break the connection; the client does not receive the returned response."""
    http[_CUT] = True
    if http.transport is not None:
        http.transport.abort()
    return web.Response(status=500)


def _request(http: web.Request, raw: bytes, request_id: str, principal: str) -> Request:
    base_url = _base_url(http)
    return Request(
        method=http.method,
        path=parse_path(http.path),
        query={name.lower(): value for name, value in http.query.items()},
        headers=http.headers,
        body=_json(raw),
        base_url=base_url,
        url=f"{base_url}{http.path_qs}",
        correlation_id=_guid_or(http.headers.get("x-ms-correlation-request-id"), request_id),
        client_request_id=http.headers.get("x-ms-client-request-id"),
        principal=principal,
    )


def _base_url(http: web.Request) -> str:
    return f"{http.scheme}://{http.host}"


def _principal(http: web.Request) -> str:
    scheme, _, token = http.headers.get("Authorization", "").partition(" ")
    principal = principal_of(token.strip()) if scheme.lower() == "bearer" else None
    if principal is None:
        raise unauthenticated()
    return principal


def _json(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise invalid_content(str(error)) from error
    if not isinstance(body, dict):
        raise invalid_content("the body is not a JSON object")
    if not isinstance(body.get("properties") or {}, dict):
        raise invalid_content("properties is not an object")
    if body.get("properties", {}) is None:
        del body["properties"]
    return body


def fault_answer(planned: dict[str, Any]) -> Answer:
    """The answer that a fault rule sets instead of the real one."""
    headers = {str(name): str(value) for name, value in (planned.get("headers") or {}).items()}
    return Answer(int(planned.get("status", 500)), planned.get("body"), headers)


def _metadata(base_url: str) -> dict[str, Any]:
    """The metadata that `az cloud register` reads; `suffixes` must be present even when empty."""
    return {
        "name": "AzureSimulator",
        "authentication": {"loginEndpoint": base_url, "audiences": [f"{base_url}/"], "tenant": "common"},
        "suffixes": {},
        "resourceManager": base_url,
    }


def _guid_or(text: str | None, default: str) -> str:
    try:
        return str(UUID(text)) if text else default
    except ValueError:
        return default


def _http_date(now: datetime) -> str:
    return format_datetime(now.replace(microsecond=0), usegmt=True)
