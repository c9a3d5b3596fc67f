"""Makes the tables of Resource Graph from ARM bodies.

Decides the columns of a resource in Resource Graph. Leaves the rights of callers to `service`.

Columns: https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language#resource-graph-tables.
`type`, `location` and `resourceGroup` are lower case there, unlike in ARM; `id` and `name` keep their casing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from simulator.resource_graph.operators import Table
from simulator.resource_graph.syntax import not_supported
from simulator.resource_graph.values import KustoType

SUBSCRIPTION = "microsoft.resources/subscriptions"
RESOURCE_GROUP = "microsoft.resources/subscriptions/resourcegroups"
MANAGEMENT_GROUP = "microsoft.management/managementgroups"

_CONTAINER_TYPES = {SUBSCRIPTION, RESOURCE_GROUP, MANAGEMENT_GROUP, "microsoft.resources/resourcegroups"}
_SCHEMA: dict[str, KustoType] = {
    "id": "string",
    "name": "string",
    "type": "string",
    "tenantId": "string",
    "kind": "string",
    "location": "string",
    "resourceGroup": "string",
    "subscriptionId": "string",
    "managedBy": "string",
    "sku": "dynamic",
    "plan": "dynamic",
    "properties": "dynamic",
    "tags": "dynamic",
    "identity": "dynamic",
    "zones": "dynamic",
    "extendedLocation": "dynamic",
}
_TEXT_COLUMNS = ("name", "kind", "managedBy")
_DYNAMIC_COLUMNS = tuple(name for name, kind in _SCHEMA.items() if kind == "dynamic")


def table_named(name: str, bodies: Iterable[Mapping[str, Any]], tenant_id: str) -> Table:
    """The table `name` (any case) over the ARM `bodies`. QueryError names a table that does not exist."""
    match name.lower():
        case "resources":
            return Table(_SCHEMA, _rows(bodies, tenant_id, containers=False))
        case "resourcecontainers":
            return Table(_SCHEMA, _rows(bodies, tenant_id, containers=True))
    raise not_supported(name, "The table")


def subscription_of(resource_id: str) -> str:
    """The subscription id in `resource_id`, lower case; empty if it has none."""
    return _segment_after(resource_id, "subscriptions").lower()


def _rows(bodies: Iterable[Mapping[str, Any]], tenant_id: str, *, containers: bool) -> Iterator[dict[str, Any]]:
    for body in bodies:
        kind = str(body.get("type") or "").lower()
        if (kind in _CONTAINER_TYPES) == containers:
            yield _row(body, kind, tenant_id)


def _row(body: Mapping[str, Any], kind: str, tenant_id: str) -> dict[str, Any]:
    resource_id = str(body["id"])
    row: dict[str, Any] = {
        "id": resource_id,
        "name": "",
        "type": RESOURCE_GROUP if kind == "microsoft.resources/resourcegroups" else kind,
        "tenantId": tenant_id,
        "kind": "",
        "location": str(body.get("location") or "").lower(),
        "resourceGroup": _segment_after(resource_id, "resourcegroups").lower(),
        "subscriptionId": subscription_of(resource_id),
        "managedBy": "",
    }
    row.update((column, str(body[column])) for column in _TEXT_COLUMNS if body.get(column))
    row.update((column, body.get(column)) for column in _DYNAMIC_COLUMNS)
    return row


def _segment_after(resource_id: str, segment: str) -> str:
    parts = resource_id.split("/")
    return next((value for key, value in pairwise(parts) if key.lower() == segment), "")
