"""Answers `POST /providers/Microsoft.ResourceGraph/resources`.

This room decides who sees which rows, and the shape of answers and errors. It refuses to know the query language.
https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
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


class ResourceGraph:
    """The query service of one tenant over what ARM holds at the moment of asking."""

    def __init__(
        self,
        clock: Clock,
        resources: Callable[[], Iterable[Body]],
        subscriptions: Callable[[], Iterable[str]],
        management_groups: Callable[[str], Iterable[str]],
        *,
        tenant_id: str = "",
        readable: Callable[[str, str, str], bool] = lambda _principal, _id, _kind: True,
        seen: Callable[[str, str], bool] = lambda _principal, _subscription: True,
        throttles: Callable[[], bool] = lambda: False,
    ) -> None:
        """Answer from `resources()` (full ARM bodies), `subscriptions()` (ids) and `management_groups(name)` (ids of
        the subscriptions under it; none when it does not exist).

        `seen(principal, subscription)` and `readable(principal, id, type)` say what of it the caller gets to see;
        `throttles()` whether a caller without quota is refused.
        """
        self._clock = clock
        self._resources = resources
        self._subscriptions = subscriptions
        self._management_groups = management_groups
        self._tenant_id = tenant_id
        self._readable, self._seen, self._throttles = readable, seen, throttles
        self._quota = Quota(clock)

    def answer(self, body: Body, principal: str) -> Answer:
        """Status, headers and JSON for the request `body` of `principal`; never raises for what a caller sends."""
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
        except _NothingToSee:
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
        return page, execute(query, visible, self._tenant_id)

    def _scope(self, groups: list[str], subscriptions: list[str], principal: str) -> set[str]:
        """The subscriptions asked for, as far as they exist: one that does not is left out without a word."""
        readable = {each.lower() for each in self._subscriptions() if self._seen(principal, each)}
        if groups:
            asked = {subscription.lower() for group in groups for subscription in self._management_groups(group)}
        elif subscriptions:
            asked = {subscription.lower() for subscription in subscriptions}
        else:
            return readable  # neither given: the whole tenant, since api-version 2021-03-01
        if not asked & readable and not self._exists(groups):
            raise _NothingToSee
        return asked & readable

    def _exists(self, groups: list[str]) -> bool:
        """Whether one of the management groups is there, be it without a subscription."""
        wanted = {group.lower() for group in groups}
        return any(_kind(body) == MANAGEMENT_GROUP and _lineage(body) & wanted for body in self._resources())

    def _visible(self, scope: set[str], groups: Iterable[str], principal: str) -> Iterator[Body]:
        for subscription in self._subscriptions():
            if subscription.lower() in scope:
                yield {"id": f"/subscriptions/{subscription}", "name": subscription, "type": SUBSCRIPTION}
        wanted = {group.lower() for group in groups}
        for body in self._resources():
            kind = _kind(body)
            if kind == MANAGEMENT_GROUP:
                if not wanted or self._tenant_id.lower() in wanted or _lineage(body) & wanted:
                    yield body
            elif (
                kind != SUBSCRIPTION
                and subscription_of(str(body["id"])) in scope
                and self._readable(principal, str(body["id"]), str(body.get("type")))
            ):
                yield body

    def _error(self, code: str, details: list[dict[str, Any]]) -> dict[str, Any]:
        stamp = self._clock.now().isoformat().replace("+00:00", "Z")
        message = (
            f"Please provide below info when asking for support: timestamp = {stamp}, correlationId = {uuid.uuid4()}."
        )
        return {"error": {"code": code, "message": message, "details": details}}


class _BadRequest(ValueError):
    """A request body that is no query request."""


class _NothingToSee(Exception):
    """Not one of the scopes asked for is readable."""


_INVALID_QUERY = {
    "code": "InvalidQuery",
    "message": (
        "Query is invalid. Please refer to the documentation for the Azure Resource Graph service "
        "and fix the error before retrying."
    ),
}
# Reported: https://github.com/Azure/azure-cli-extensions/issues/3325
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
    return {"code": error.code, "message": error.message, **error.place}


def _kind(body: Body) -> str:
    return str(body.get("type") or "").lower()


def _lineage(group: Body) -> set[str]:
    """The names of a management group and of all above it, lower case."""
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
