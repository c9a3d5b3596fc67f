"""The operators of a query; each makes one table from another.

Decides what `where`, `project`, `order by` and the others do to columns and rows. Leaves expressions to `scalars` and
the first table to `tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from simulator.resource_graph.scalars import Row, Scalar, Schema, children, compile_condition, compile_scalar
from simulator.resource_graph.syntax import Node, not_supported, semantic, unknown_word


@dataclass(frozen=True)
class Table:
    """Column types, rows in order, and whether a `take` cut the rows (then the service returns no skip token)."""

    schema: Schema
    rows: Iterable[Row]
    cut: bool = False


def apply_operator(node: Node, table: Table) -> Table:
    """`table` after the operator `node`. Raises QueryError, which names the fault."""
    return _OPERATORS[node.data](node, table)


def _where(node: Node, table: Table) -> Table:
    condition = compile_condition(children(node)[0], table.schema)
    return Table(table.schema, (row for row in table.rows if condition(row) is True), table.cut)


def _project(node: Node, table: Table) -> Table:
    return _compute(_columns(children(node), table.schema), table)


def _compute(columns: dict[str, Scalar], table: Table) -> Table:
    evaluates = [(name, scalar.evaluate) for name, scalar in columns.items()]
    rows = ({name: evaluate(row) for name, evaluate in evaluates} for row in table.rows)
    return Table({name: scalar.kind for name, scalar in columns.items()}, rows, table.cut)


def _columns(nodes: list[Node], schema: Schema) -> dict[str, Scalar]:
    columns: dict[str, Scalar] = {}
    for node in nodes:
        alias = node.children[0]
        scalar = compile_scalar(children(node)[0], schema)
        name = str(alias) if alias is not None else scalar.auto_name or _free_name(columns)
        if name in columns:
            raise semantic(f"A column named '{name}' already exists", name)
        columns[name] = scalar
    return columns


def _free_name(columns: dict[str, Scalar]) -> str:
    return next(name for name in map("Column{}".format, range(1, len(columns) + 2)) if name not in columns)


def _project_away(node: Node, table: Table) -> Table:
    away = {str(token) for token in node.children[1:]}
    unknown = away - set(table.schema)
    if unknown:
        name = min(unknown)
        raise semantic(f"Failed to resolve column named '{name}'", name)
    schema = {name: kind for name, kind in table.schema.items() if name not in away}
    return Table(schema, ({name: row[name] for name in schema} for row in table.rows), table.cut)


def _extend(node: Node, table: Table) -> Table:
    columns = _columns(children(node), table.schema)
    evaluates = [(name, scalar.evaluate) for name, scalar in columns.items()]
    rows = ({**row, **{name: evaluate(row) for name, evaluate in evaluates}} for row in table.rows)
    return Table({**table.schema, **{name: scalar.kind for name, scalar in columns.items()}}, rows, table.cut)


def _order(node: Node, table: Table) -> Table:
    rows = list(table.rows)
    for key in reversed(children(node)):
        _sort(rows, key, table.schema)
    return Table(table.schema, rows, table.cut)


def _sort(rows: list[Row], key: Node, schema: Schema) -> None:
    scalar = compile_scalar(children(key)[0], schema)
    if scalar.kind == "dynamic":
        raise semantic("Order operator: key can't be of dynamic type", scalar.auto_name or "")
    _, direction, nulls = key.children
    ascending = direction == "asc"
    nulls_first = nulls == "first" if nulls is not None else ascending
    evaluate = scalar.evaluate
    null_rows = [row for row in rows if evaluate(row) is None]
    values = [row for row in rows if evaluate(row) is not None]
    values.sort(key=evaluate, reverse=not ascending)
    rows[:] = null_rows + values if nulls_first else values + null_rows


def _take(node: Node, table: Table) -> Table:
    return Table(table.schema, islice(table.rows, _row_count(node)), cut=True)


def _top(node: Node, table: Table) -> Table:
    return Table(table.schema, islice(_order(node, table).rows, _row_count(node)), cut=True)


def _row_count(node: Node) -> int:
    number = int(str(node.children[0]))
    if number < 0:
        raise semantic(f"The number of rows cannot be {number}", str(number))
    return number


def _count(_: Node, table: Table) -> Table:
    return Table({"Count": "long"}, [{"Count": sum(1 for _ in table.rows)}], table.cut)


def _distinct(node: Node, table: Table) -> Table:
    columns = _group_columns(children(node), table.schema)
    return _compute_distinct(columns, table)


def _compute_distinct(columns: dict[str, Scalar], table: Table) -> Table:
    computed = _compute(columns, table)
    seen = dict.fromkeys(tuple(row[name] for name in columns) for row in computed.rows)
    return Table(computed.schema, [dict(zip(columns, key, strict=True)) for key in seen], table.cut)


def _group_columns(nodes: list[Node], schema: Schema) -> dict[str, Scalar]:
    columns = _columns(nodes, schema)
    for name, scalar in columns.items():
        if scalar.kind == "dynamic":
            message = f"Summarize group key '{name}' is of a 'dynamic' type. Please use an explicit cast"
            raise semantic(message, name)
    return columns


def _summarize(node: Node, table: Table) -> Table:
    aggregate, *groups = children(node)
    alias, function = aggregate.children[:2]
    if function != "count" or children(aggregate):
        raise not_supported(str(function), "The aggregation")
    name = str(alias) if alias is not None else "count_"
    columns = _group_columns(children(groups[0]), table.schema) if groups else {}
    computed = _compute(columns, table)
    counts: dict[tuple[Any, ...], int] = {} if columns else {(): 0}
    for row in computed.rows:
        key = tuple(row[column] for column in columns)
        counts[key] = counts.get(key, 0) + 1
    rows = [{**dict(zip(columns, key, strict=True)), name: number} for key, number in counts.items()]
    return Table({**computed.schema, name: "long"}, rows, table.cut)


_OPERATORS: dict[str, Callable[[Node, Table], Table]] = {
    "where": _where,
    "project": _project,
    "project_away": _project_away,
    "extend": _extend,
    "order": _order,
    "take": _take,
    "top": _top,
    "count": _count,
    "distinct": _distinct,
    "summarize": _summarize,
    "unknown_tabular": unknown_word,
}
