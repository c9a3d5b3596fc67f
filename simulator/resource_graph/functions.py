"""A table of the scalar functions that a query can call.

Decides the result of each function for its arguments. Does not know columns and rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.resource_graph.values import KustoType, negate, text


@dataclass(frozen=True)
class Function:
    """One function: its type (None: the type of its last argument), its number of arguments, and whether a column made
    with it gets the name of its first argument, as with Kusto's conversions."""

    kind: KustoType | None
    apply: Callable[..., Any]
    min_arguments: int = 1
    max_arguments: int = 1
    keeps_name: bool = False


def _empty(value: Any) -> bool:
    return value is None or value == ""


def _to_long(value: Any) -> int | None:
    number = _to_real(value)
    return None if number is None else int(number)


def _to_real(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _to_bool(value: Any) -> bool | None:
    literals = {"true": True, "false": False, "1": True, "0": False}
    return literals.get(text(value).lower())


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if not _empty(value)), None)


FUNCTIONS = {
    "array_length": Function("long", lambda value: len(value) if isinstance(value, list) else None),
    "coalesce": Function(None, _coalesce, min_arguments=2, max_arguments=64),
    "iff": Function(
        None, lambda condition, yes, no: yes if condition is True else no, min_arguments=3, max_arguments=3
    ),
    "isempty": Function("bool", _empty),
    "isnotempty": Function("bool", lambda value: not _empty(value)),
    "isnotnull": Function("bool", lambda value: value is not None),
    "isnull": Function("bool", lambda value: value is None),
    "not": Function("bool", negate),
    "strcat": Function("string", lambda *values: "".join(map(text, values)), max_arguments=64),
    "strlen": Function("long", lambda value: len(text(value))),
    "tobool": Function("bool", _to_bool, keeps_name=True),
    "toint": Function("long", _to_long, keeps_name=True),
    "tolong": Function("long", _to_long, keeps_name=True),
    "tolower": Function("string", lambda value: text(value).lower()),
    "toreal": Function("real", _to_real, keeps_name=True),
    "tostring": Function("string", text, keeps_name=True),
    "toupper": Function("string", lambda value: text(value).upper()),
}
