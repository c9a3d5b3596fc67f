"""Compiles an expression of a query to a function of one row.

Decides which columns, paths and functions an expression can use, and its type. Does not know which operator contains
the expression.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree

from simulator.resource_graph.functions import FUNCTIONS
from simulator.resource_graph.syntax import Node, not_supported, semantic, unknown_word
from simulator.resource_graph.values import KustoType, compare, equal, text, text_test

type Row = Mapping[str, Any]
type Schema = Mapping[str, KustoType]
type Evaluate = Callable[[Row], Any]

_NUMERIC = {"long", "real"}


@dataclass(frozen=True)
class Scalar:
    """A compiled expression: its type, its value for a row, and the column name that Kusto gives it (or None)."""

    kind: KustoType
    evaluate: Evaluate
    auto_name: str | None = None
    constant: bool = False


def compile_scalar(node: Node, schema: Schema) -> Scalar:
    """The expression `node` over rows of `schema`. QueryError names an unknown column or function."""
    return _COMPILERS[node.data](node, schema)


def compile_condition(node: Node, schema: Schema) -> Evaluate:
    """The expression `node` as a condition: true, false or null. Raises QueryError if it is not of type bool."""
    scalar = compile_scalar(node, schema)
    if scalar.kind not in ("bool", "dynamic"):
        raise semantic(f"The condition must be of type bool, not {scalar.kind}.")
    return scalar.evaluate


def children(node: Node) -> list[Node]:
    """The subtrees of `node`."""
    return [child for child in node.children if isinstance(child, Tree)]


def _name(node: Node, schema: Schema) -> Scalar:
    column = str(node.children[0])
    if column not in schema:
        raise semantic(f"Failed to resolve column or scalar expression named '{column}'", column)
    return Scalar(schema[column], lambda row: row[column], column)


def _member(node: Node, schema: Schema) -> Scalar:
    return _step(node, schema, str(node.children[1]))


def _index(node: Node, schema: Schema) -> Scalar:
    token = node.children[1]
    assert isinstance(token, Token)
    return _step(node, schema, int(token) if token.type == "INTEGER" else _unquote(token))


def _step(node: Node, schema: Schema, key: str | int) -> Scalar:
    bag = compile_scalar(children(node)[0], schema)
    if bag.kind != "dynamic":
        raise semantic(f"Path access needs a dynamic value, not {bag.kind}: '{key}'", str(key))
    inner = bag.evaluate

    def evaluate(row: Row) -> Any:
        value = inner(row)
        if isinstance(key, int):
            in_range = isinstance(value, list) and -len(value) <= key < len(value)
            return value[key] if in_range else None
        return value.get(key) if isinstance(value, dict) else None

    return Scalar("dynamic", evaluate, f"{bag.auto_name}_{key}" if bag.auto_name else None)


def _unquote(token: str) -> str:
    if token.startswith("@"):
        return token[2:-1]
    return str(ast.literal_eval(token))


def _literal(kind: KustoType, read: Callable[[str], Any]) -> Callable[[Node, Schema], Scalar]:
    def compiler(node: Node, _: Schema) -> Scalar:
        value = read(str(node.children[0]))
        return Scalar(kind, lambda _: value, constant=True)

    return compiler


def _call(node: Node, schema: Schema) -> Scalar:
    name = str(node.children[0])
    function = FUNCTIONS.get(name)
    if function is None:
        raise not_supported(name, "The function")
    arguments = [compile_scalar(child, schema) for child in children(node)]
    if not function.min_arguments <= len(arguments) <= function.max_arguments:
        raise semantic(f"{name}() does not take {len(arguments)} arguments", name)
    evaluates = [argument.evaluate for argument in arguments]
    apply = function.apply
    kind = function.kind or arguments[-1].kind
    auto_name = arguments[0].auto_name if function.keeps_name else None
    if len(evaluates) == 1:
        only = evaluates[0]
        return Scalar(kind, lambda row: apply(only(row)), auto_name)
    return Scalar(kind, lambda row: apply(*(evaluate(row) for evaluate in evaluates)), auto_name)


def _compare(node: Node, schema: Schema) -> Scalar:
    left, right = (compile_scalar(child, schema) for child in children(node))
    symbol = str(node.children[1])
    if symbol[-1] in "=~<>":
        return _comparison(symbol, left, right)
    evaluate, needle = left.evaluate, right.evaluate
    if right.constant:
        test = text_test(symbol, text(needle({})))
        return Scalar("bool", lambda row: test(text(evaluate(row))))
    return Scalar("bool", lambda row: text_test(symbol, text(needle(row)))(text(evaluate(row))))


def _comparison(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    kinds = {left.kind, right.kind}
    if "dynamic" not in kinds and len(kinds) > 1 and not kinds <= _NUMERIC:
        raise semantic(f"Cannot compare values of types {left.kind} and {right.kind}. Try adding explicit casts")
    one, other = left.evaluate, right.evaluate
    return Scalar("bool", lambda row: compare(symbol, one(row), other(row)))


def _membership(node: Node, schema: Schema) -> Scalar:
    value, *options = (compile_scalar(child, schema).evaluate for child in children(node))
    symbol = str(node.children[1])
    negative, caseless = symbol.startswith("!"), symbol.endswith("~")

    def fold(item: Any) -> Any:
        return item.lower() if caseless and isinstance(item, str) else item

    def evaluate(row: Row) -> bool:
        wanted = fold(value(row))
        return any(equal(wanted, fold(option(row))) for option in options) != negative

    return Scalar("bool", evaluate)


def _conjunction(node: Node, schema: Schema) -> Scalar:
    parts = [compile_condition(child, schema) for child in children(node)]

    def evaluate(row: Row) -> bool | None:
        answer: bool | None = True
        for part in parts:
            value = part(row)
            if value is False:
                return False
            answer = None if value is None else answer
        return answer

    return Scalar("bool", evaluate)


def _disjunction(node: Node, schema: Schema) -> Scalar:
    parts = [compile_condition(child, schema) for child in children(node)]

    def evaluate(row: Row) -> bool | None:
        answer: bool | None = False
        for part in parts:
            value = part(row)
            if value is True:
                return True
            answer = None if value is None else answer
        return answer

    return Scalar("bool", evaluate)


_COMPILERS: dict[str, Callable[[Node, Schema], Scalar]] = {
    "name": _name,
    "member": _member,
    "index": _index,
    "call": _call,
    "string": _literal("string", _unquote),
    "integer": _literal("long", int),
    "real": _literal("real", float),
    "boolean": _literal("bool", lambda literal: literal == "true"),
    "compare": _compare,
    "membership": _membership,
    "conjunction": _conjunction,
    "disjunction": _disjunction,
    "unknown_operator": unknown_word,
}
