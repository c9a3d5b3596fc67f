"""Reads the text of a query into a tree.

This room decides what is a well-formed query and how a malformed one is refused. It refuses to know what any
operator or function means.

The refusals carry the two shapes Azure uses: `ParserFailure` with the place, and `InvalidQueryLanguage` (no place, the
operator as token) for an operator the language has and the service does not take.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree, UnexpectedEOF, UnexpectedInput, UnexpectedToken

type Node = Tree[Token]

_LONGEST_QUERY = 30_000
_UNKNOWN = {"UNKNOWN_OPERATOR": "The operator", "UNKNOWN_TABULAR": "The query operator"}


class QueryError(Exception):
    """A query the service does not answer. `code` and `message` say why; `place` holds what Azure adds to them."""

    def __init__(self, code: str, message: str, **place: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.place = place


def not_supported(construct: str, what: str) -> QueryError:
    """The refusal of an operator, function or table that exists in the language but not here."""
    return QueryError(
        "InvalidQueryLanguage",
        f"{what} '{construct}' is not supported.",
        line=-1,
        characterPositionInLine=-1,
        token=construct,
    )


def semantic(message: str, token: str = "") -> QueryError:
    """The refusal of a well-formed query that makes no sense; `token` is the word at fault."""
    return QueryError("SemanticError", message, line=-1, characterPositionInLine=-1, token=token)


def unknown_word(node: Node, _: object) -> Any:
    """Refuse a query that ends in a word no operator has."""
    token = node.children[-1]
    assert isinstance(token, Token)
    raise not_supported(str(token), _UNKNOWN[token.type])


@lru_cache(maxsize=256)
def parse(kql: str) -> Node:
    """The tree of `kql`, as the rules of query.lark name it. Raises QueryError naming what it could not read."""
    if len(kql) > _LONGEST_QUERY:
        raise QueryError("ParserFailure", f"The query is longer than {_LONGEST_QUERY} characters.")
    try:
        return _parser().parse(kql)
    except UnexpectedInput as error:
        raise _failure(kql, error) from None


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark.open("query.lark", rel_to=__file__, parser="lalr")


def _failure(kql: str, error: UnexpectedInput) -> QueryError:
    before: list[Token] = getattr(error, "token_history", None) or []
    unknown = next((token for token in before if token.type in _UNKNOWN), None)
    if unknown is not None:
        return not_supported(str(unknown), _UNKNOWN[unknown.type])
    at_end = isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END")
    if at_end:
        lines = kql.split("\n")
        line, position, token = len(lines), len(lines[-1]), "<EOF>"
    else:
        line, position, token = error.line, error.column - 1, _word_at(kql, error)
    return QueryError(
        "ParserFailure",
        "ParserFailure",
        line=line,
        characterPositionInLine=position,
        token=token,
        expectedToken=_expected(error),
    )


def _word_at(kql: str, error: UnexpectedInput) -> str:
    found = re.compile(r"[\w-]+|[=!<>~]+|\S").match(kql, error.pos_in_stream or 0)
    return found.group() if found else ""


def _expected(error: UnexpectedInput) -> str:
    names = error.accepts or error.expected if isinstance(error, UnexpectedToken) else getattr(error, "allowed", None)
    return ", ".join(sorted(name for name in names or () if not name.startswith("UNKNOWN_")))
