"""The scalar functions a query may call, as data.

This room decides what each function gives for its arguments. It refuses to know columns and rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.resource_graph.values import KustoType, negate, text


@dataclass(frozen=True)
class Function:
    """One function: its type (None: that of its last argument), how many arguments, and whether a column made by it is
    named after its first argument, as Kusto's conversions are."""

    kind: KustoType | None
    apply: Callable[..., Any]
    least: int = 1
    most: int = 1
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
    words = {"true": True, "false": False, "1": True, "0": False}
    return words.get(text(value).lower())


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if not _empty(value)), None)


FUNCTIONS = {
    "array_length": Function("long", lambda value: len(value) if isinstance(value, list) else None),
    "coalesce": Function(None, _coalesce, least=2, most=64),
    "iff": Function(None, lambda condition, yes, no: yes if condition is True else no, least=3, most=3),
    "isempty": Function("bool", _empty),
    "isnotempty": Function("bool", lambda value: not _empty(value)),
    "isnotnull": Function("bool", lambda value: value is not None),
    "isnull": Function("bool", lambda value: value is None),
    "not": Function("bool", negate),
    "strcat": Function("string", lambda *values: "".join(map(text, values)), most=64),
    "strlen": Function("long", lambda value: len(text(value))),
    "tobool": Function("bool", _to_bool, keeps_name=True),
    "toint": Function("long", _to_long, keeps_name=True),
    "tolong": Function("long", _to_long, keeps_name=True),
    "tolower": Function("string", lambda value: text(value).lower()),
    "toreal": Function("real", _to_real, keeps_name=True),
    "tostring": Function("string", text, keeps_name=True),
    "toupper": Function("string", lambda value: text(value).upper()),
}
