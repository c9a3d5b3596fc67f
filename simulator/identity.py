"""Managed identity on loopback: issues tokens for requests with the right header.

Decides the answers of the two endpoints that Azure's identity clients use (App Service and the instance metadata
service) and the claims of a token. Tokens are unsigned: they identify, they do not protect. Only their expiry is in
the machine's own time, because clients compare it with their own clock.
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from aiohttp import web

from simulator.clock import Clock

IDENTITY_PATH = "/msi/token"
IMDS_PATH = "/metadata/identity/oauth2/token"
_LIFETIME_S = 24 * 3600
_SYSTEM_ASSIGNED = "11111111-1111-4111-8111-111111111111"


class Identity:
    """The identity endpoints of one simulator; `header` is the secret a caller must send in X-IDENTITY-HEADER."""

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id
        self.header = secrets.token_hex(16)

    def routes(self) -> list[web.RouteDef]:
        """The endpoints, for the simulator's application."""
        return [web.get(IDENTITY_PATH, self._app_service), web.get(IMDS_PATH, self._imds)]

    async def _app_service(self, request: web.Request) -> web.Response:
        if not secrets.compare_digest(request.headers.get("X-IDENTITY-HEADER", ""), self.header):
            return web.json_response({"statusCode": 401, "message": "Unauthorized: bad X-IDENTITY-HEADER"}, status=401)
        return self._token(request)

    async def _imds(self, request: web.Request) -> web.Response:
        if request.headers.get("Metadata", "").lower() != "true":
            body = {"error": "bad_request_102", "error_description": "Required metadata header not specified"}
            return web.json_response(body, status=400)
        return self._token(request)

    def _token(self, request: web.Request) -> web.Response:
        resource = request.query.get("resource")
        if not resource:
            body = {"statusCode": 400, "message": "Bad Request: 'resource' is missing"}
            return web.json_response(body, status=400)
        client_id = request.query.get("client_id") or request.query.get("clientid") or _SYSTEM_ASSIGNED
        now_s = int(Clock.wall())
        return web.json_response(
            {
                "access_token": make_token(self._tenant_id, client_id, resource, now_s, now_s + _LIFETIME_S),
                "expires_on": str(now_s + _LIFETIME_S),
                "expires_in": str(_LIFETIME_S),
                "not_before": str(now_s),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": client_id,
            }
        )


def make_token(tenant_id: str, client_id: str, audience: str, issued_s: int, expires_s: int) -> str:
    """An unsigned JWT for `client_id`; times are real epoch seconds."""
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant_id}/",
        "iat": issued_s,
        "nbf": issued_s,
        "exp": expires_s,
        "tid": tenant_id,
        "appid": client_id,
        "oid": object_id(client_id),
        "sub": object_id(client_id),
        "idtyp": "app",
    }
    return f"{_encode({'alg': 'none', 'typ': 'JWT'})}.{_encode(claims)}."


def object_id(client_id: str) -> str:
    """The object id of the service principal with this client id."""
    return str(uuid5(NAMESPACE_URL, client_id))


def principal_of(token: str) -> str | None:
    """The object id in a bearer token, or an opaque token itself; None when the token is empty or expired."""
    claims = claims_of(token)
    return None if claims is None else str(claims.get("oid", token))


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of a bearer token, none for an opaque one; None when the token is empty or expired."""
    if not token:
        return None
    try:
        part = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return claims if float(claims.get("exp", Clock.wall() + 1)) > Clock.wall() else None
    except (IndexError, ValueError):
        return {}


def _encode(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
