"""Kusto's values: their types, their text form, and how two of them compare.

Decides the rules of null, of case and of the text operators. Does not know where a value comes from.

Rules: https://learn.microsoft.com/kusto/query/scalar-data-types/null-values (two nulls compare to null, a null and a
value are unequal, `where` treats null as false; strings are never null, only empty) and
https://learn.microsoft.com/kusto/query/datatypes-string-operators (the meaning of a term in `has`).
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from typing import Any, Literal

KustoType = Literal["string", "long", "real", "bool", "dynamic"]
Test = Callable[[str], bool]

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def text(value: Any) -> str:
    """`tostring()`: null is empty, a bag or array is compact JSON, true and false are lower case."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def equal(left: Any, right: Any) -> bool | None:
    """`==`: null for two nulls; a bool equals no number, unlike in Python."""
    if left is None and right is None:
        return None
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def compare(symbol: str, left: Any, right: Any) -> bool | None:
    """`== != =~ !~ < <= > >=` on two values; null where Kusto returns null."""
    match symbol:
        case "==":
            return equal(left, right)
        case "!=":
            return negate(equal(left, right))
        case "=~":
            return text(left).lower() == text(right).lower()
        case "!~":
            return text(left).lower() != text(right).lower()
    numbers = _number(left) and _number(right)
    strings = isinstance(left, str) and isinstance(right, str)
    return _ORDERINGS[symbol](left, right) if numbers or strings else None


def negate(value: bool | None) -> bool | None:
    """`not`: null stays null."""
    return None if value is None else not value


def text_test(symbol: str, needle: str) -> Test:
    """The test of a text operator (`has`, `!contains_cs`, `startswith` and so on) with `needle`."""
    cased = symbol.endswith("_cs")
    negative = symbol.startswith("!")
    kind = symbol.removeprefix("!").removesuffix("_cs")
    plain = _plain_test(kind, needle if cased else needle.lower())

    def test(haystack: str) -> bool:
        return plain(haystack if cased else haystack.lower()) != negative

    return test


def _plain_test(kind: str, needle: str) -> Test:
    match kind:
        case "contains":
            return lambda haystack: needle in haystack
        case "startswith":
            return lambda haystack: haystack.startswith(needle)
        case "endswith":
            return lambda haystack: haystack.endswith(needle)
    before = r"(?<![0-9A-Za-z])" if needle[:1].isalnum() else ""
    after = r"(?![0-9A-Za-z])" if needle[-1:].isalnum() else ""
    term = re.compile(before + re.escape(needle) + after)
    return lambda haystack: term.search(haystack) is not None


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
