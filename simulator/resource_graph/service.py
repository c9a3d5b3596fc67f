"""Answers `POST /providers/Microsoft.ResourceGraph/resources`.

Decides which rows a caller sees, and the form of answers and errors. Does not know the query language.
https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.clock import Clock
from simulator.resource_graph.paging import Page, PagingError, page_of
from simulator.resource_graph.query import Result, execute
from simulator.resource_graph.quota import Quota
from simulator.resource_graph.syntax import QueryError
from simulator.resource_graph.tables import MANAGEMENT_GROUP, SUBSCRIPTION, subscription_of
from simulator.resource_graph.values import KustoType

type Answer = tuple[int, dict[str, str], dict[str, Any]]
type Body = Mapping[str, Any]

_COLUMN_TYPES: dict[KustoType, str] = {
    "string": "string",
    "long": "integer",
    "real": "number",
    "bool": "boolean",
    "dynamic": "object",
}


@dataclass(frozen=True)
class Tenant:
    """The resources of one tenant, read at the time of a query, and the rights of its principals.

    `resources()` returns full ARM bodies, `subscriptions()` subscription ids, and `subscriptions_of(management group)`
    the ids of the subscriptions under it, none if it does not exist. `may_see(principal, subscription)` and
    `may_read(principal, id, type)` limit what a principal gets.
    """

    id: str
    resources: Callable[[], Iterable[Body]]
    subscriptions: Callable[[], Iterable[str]]
    subscriptions_of: Callable[[str], Iterable[str]]
    may_read: Callable[[str, str, str], bool] = lambda _principal, _id, _kind: True
    may_see: Callable[[str, str], bool] = lambda _principal, _subscription: True


class ResourceGraph:
    """The query service of one tenant."""

    def __init__(self, clock: Clock, tenant: Tenant, *, throttles: Callable[[], bool] = lambda: False) -> None:
        """Answer queries over `tenant`. While `throttles()` is true, a caller without quota is refused."""
        self._clock = clock
        self._tenant = tenant
        self._throttles = throttles
        self._quota = Quota(clock)

    def answer(self, body: Body, principal: str) -> Answer:
        """Status, headers and JSON for the request `body` of `principal`. Never raises because of `body`."""
        refused = self._throttles() and self._quota.exhausted(principal)
        headers = self._quota.spend(principal)
        if refused:
            return 429, headers, self._error("RateLimiting", [_THROTTLED])
        try:
            page, result = self._run(body, principal)
        except QueryError as error:
            return 400, headers, self._error("BadRequest", [_INVALID_QUERY, _detail(error)])
        except (PagingError, _BadRequest) as error:
            return 400, headers, self._error("BadRequest", [{"code": "InvalidQueryRequest", "message": str(error)}])
        except _NothingReadable:
            return 403, headers, self._error("Forbidden", [_ACCESS_DENIED])
        table = _options(body).get("resultFormat", "objectArray") == "table"
        return 200, headers, _answer_body(page, result, table=table)

    def _run(self, body: Body, principal: str) -> tuple[Page, Result]:
        query = body.get("query")
        if not isinstance(query, str) or not query.strip():
            raise _BadRequest("Query is required and cannot be empty.")
        if body.get("facets"):
            raise _BadRequest("'facets' are not supported.")
        groups, subscriptions = _strings(body, "managementGroups"), _strings(body, "subscriptions")
        page = page_of(_options(body))
        visible = self._visible(self._scope(groups, subscriptions, principal), groups, principal)
        return page, execute(query, visible, self._tenant.id)

    def _scope(self, groups: list[str], subscriptions: list[str], principal: str) -> set[str]:
        """The requested subscriptions that the principal can see; others are silently left out."""
        tenant = self._tenant
        readable = {each.lower() for each in tenant.subscriptions() if tenant.may_see(principal, each)}
        if groups:
            requested = {subscription.lower() for group in groups for subscription in tenant.subscriptions_of(group)}
        elif subscriptions:
            requested = {subscription.lower() for subscription in subscriptions}
        else:
            return readable  # neither given: the whole tenant, since api-version 2021-03-01
        if not requested & readable and not self._exists(groups):
            raise _NothingReadable
        return requested & readable

    def _exists(self, groups: list[str]) -> bool:
        """Whether one of the management groups exists, with or without a subscription."""
        wanted = {group.lower() for group in groups}
        return any(_kind(body) == MANAGEMENT_GROUP and _lineage(body) & wanted for body in self._tenant.resources())

    def _visible(self, scope: set[str], groups: Iterable[str], principal: str) -> Iterator[Body]:
        tenant = self._tenant
        for subscription in tenant.subscriptions():
            if subscription.lower() in scope:
                yield {"id": f"/subscriptions/{subscription}", "name": subscription, "type": SUBSCRIPTION}
        wanted = {group.lower() for group in groups}
        for body in tenant.resources():
            kind = _kind(body)
            if kind == MANAGEMENT_GROUP:
                if not wanted or tenant.id.lower() in wanted or _lineage(body) & wanted:
                    yield body
            elif (
                kind != SUBSCRIPTION
                and subscription_of(str(body["id"])) in scope
                and tenant.may_read(principal, str(body["id"]), str(body.get("type")))
            ):
                yield body

    def _error(self, code: str, details: list[dict[str, Any]]) -> dict[str, Any]:
        stamp = self._clock.now().isoformat().replace("+00:00", "Z")
        message = (
            f"Please provide below info when asking for support: timestamp = {stamp}, correlationId = {uuid.uuid4()}."
        )
        return {"error": {"code": code, "message": message, "details": details}}


class _BadRequest(ValueError):
    """The request body is not valid."""


class _NothingReadable(Exception):
    """None of the requested scopes is readable."""


_INVALID_QUERY = {
    "code": "InvalidQuery",
    "message": (
        "Query is invalid. Please refer to the documentation for the Azure Resource Graph service "
        "and fix the error before retrying."
    ),
}
# Reported in https://github.com/Azure/azure-cli-extensions/issues/3325
_THROTTLED = {
    "code": "RateLimiting",
    "message": (
        "Client application has been throttled and should not attempt to repeat the request until an amount of time "
        "has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
    ),
}
_ACCESS_DENIED = {"code": "AccessDenied", "message": "Access is denied to the requested resource."}


def _strings(body: Body, name: str) -> list[str]:
    values = body.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _BadRequest(f"'{name}' must be an array of strings.")
    return values


def _options(body: Body) -> Body:
    options = body.get("options") or {}
    if not isinstance(options, Mapping):
        raise _BadRequest("'options' must be an object.")
    return options


def _detail(error: QueryError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, **error.position}


def _kind(body: Body) -> str:
    return str(body.get("type") or "").lower()


def _lineage(group: Body) -> set[str]:
    """The names of a management group and of all its ancestors, lower case."""
    details = (group.get("properties") or {}).get("details") or {}
    chain = details.get("managementGroupAncestorsChain") or []
    return {str(group.get("name") or "").lower(), *(str(link.get("name")).lower() for link in chain)}


def _answer_body(page: Page, result: Result, *, table: bool) -> dict[str, Any]:
    rows = page.rows(result)
    token = page.next_token(result)
    body: dict[str, Any] = {
        "totalRecords": len(result.rows),
        "count": len(rows),
        "data": _as_table(result, rows) if table else rows,
        "facets": [],
        "resultTruncated": "true" if page.more(result) and token is None else "false",
    }
    return {**body, "$skipToken": token} if token else body


def _as_table(result: Result, rows: list[dict[str, Any]]) -> dict[str, Any]:
    columns = [{"name": name, "type": _COLUMN_TYPES[kind]} for name, kind in result.schema.items()]
    return {"columns": columns, "rows": [list(row.values()) for row in rows]}
