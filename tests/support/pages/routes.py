"""Reads the accepted fields of each route from the answers of its handler.

Every handler refuses a request with an unknown key before any other work, and names the keys that it accepts. A page
generated from these answers always matches the routes.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import azure.functions as func

from refresh.triggers.http.routes import Route

_UNKNOWN = {"?": "?"}
_REFUSAL = re.compile(r"is not accepted; \S+ accepts (.+)\Z")


@dataclass(frozen=True)
class Takes:
    """`fields` of the body or query, each with its accepted values; `must_name_vms`: `vms` or `all` is required."""

    fields: Mapping[str, str]
    must_name_vms: bool


def name_of(route: Route) -> str:
    """Method and path of the request."""
    return f"{route.method} /api/{route.route}"


def takes_of(route: Route) -> Takes:
    """The accepted fields of `route`."""
    return asyncio.run(_read(route))


async def _read(route: Route) -> Takes:
    faults = await _faults(route, _UNKNOWN)
    (listed,) = [found[1] for fault in faults if (found := _REFUSAL.search(fault))]
    names = [] if listed in ("nothing", "no query") else listed.split(", ")
    rules = {name: "" if route.method == "GET" else await _rule(route, name) for name in names}
    return Takes(rules, must_name_vms=any('"all": true' in fault for fault in faults))


async def _rule(route: Route, field: str) -> str:
    # No field accepts an object.
    (rule,) = [fault for fault in await _faults(route, {field: {}, **_UNKNOWN}) if fault.startswith("must be ")]
    return rule.removeprefix("must be ")


async def _faults(route: Route, given: Mapping[str, Any]) -> list[str]:
    answer = await route.handler(_request(route, given), cast(Any, None))
    problem = json.loads(answer.get_body())
    assert answer.status_code == 400, problem
    return [str(fault["detail"]) for fault in problem["errors"]]


def _request(route: Route, given: Mapping[str, Any]) -> func.HttpRequest:
    in_query = route.method == "GET"
    return func.HttpRequest(
        route.method,
        f"http://localhost/api/{route.route}",
        # With REFRESH_API_AUTH=entra a handler refuses a caller that is not signed in.
        headers={"X-MS-CLIENT-PRINCIPAL-ID": "docs"},
        params=cast(dict[str, str], dict(given)) if in_query else {},
        route_params={"id": "swap-0-1"},
        body=b"" if in_query else json.dumps(given).encode(),
    )
