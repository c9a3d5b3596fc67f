"""Runs one query over ARM bodies.

Decides the steps: parse, select the table, apply the operators. Leaves HTTP to `service` and pages to `paging`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.resource_graph.operators import apply_operator
from simulator.resource_graph.scalars import Schema, children
from simulator.resource_graph.syntax import Node, parse, semantic
from simulator.resource_graph.tables import table_named

_DEFAULT_TABLE = "resources"
_UNKNOWN_TENANT = ""


@dataclass(frozen=True)
class Result:
    """The result of a query: column types, all rows, and whether a `take`, `limit` or `top` cut them."""

    schema: Schema
    rows: list[dict[str, Any]]
    cut: bool


def execute(kql: str, bodies: Iterable[Mapping[str, Any]], tenant_id: str) -> Result:
    """The result of `kql` over the ARM `bodies` of one tenant. Raises QueryError, which names the fault."""
    try:
        return _execute(children(parse(kql)), bodies, tenant_id)
    except RecursionError:
        raise semantic("The query is nested too deeply.") from None


def _execute(nodes: list[Node], bodies: Iterable[Mapping[str, Any]], tenant_id: str) -> Result:
    name = _DEFAULT_TABLE
    if nodes[0].data == "table":
        name = str(nodes.pop(0).children[0])
    table = table_named(name, bodies, tenant_id)
    for node in nodes:
        table = apply_operator(node, table)
    return Result(table.schema, [dict(row) for row in table.rows], table.cut)


def run_query(kql: str, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows that `kql` returns over the ARM bodies `rows`. Raises QueryError, which names the fault."""
    return execute(kql, rows, _UNKNOWN_TENANT).rows
