"""Parses the text of a query into a tree.

Decides which queries are well-formed and how a malformed one is refused. Does not know the meaning of operators and
functions.

Refusals have the two forms that Azure uses: `ParserFailure` with the position, and `InvalidQueryLanguage` (no position,
the operator as token) for an operator of the language that the service does not support.
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
    """A refused query: `code` and `message` as in Azure; `position` holds the other fields of Azure's error."""

    def __init__(self, code: str, message: str, **position: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.position = position


def not_supported(construct: str, what: str) -> QueryError:
    """The error for an operator, function or table that the simulator does not support."""
    return QueryError(
        "InvalidQueryLanguage",
        f"{what} '{construct}' is not supported.",
        line=-1,
        characterPositionInLine=-1,
        token=construct,
    )


def semantic(message: str, token: str = "") -> QueryError:
    """The error for a well-formed query with a fault in its meaning; `token` is the word at fault."""
    return QueryError("SemanticError", message, line=-1, characterPositionInLine=-1, token=token)


def unknown_word(node: Node, _: object) -> Any:
    """Refuse a query that ends in an unknown word."""
    token = node.children[-1]
    assert isinstance(token, Token)
    raise not_supported(str(token), _UNKNOWN[token.type])


@lru_cache(maxsize=256)
def parse(kql: str) -> Node:
    """The tree of `kql`, with the rule names of query.lark. Raises QueryError, which names the fault."""
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
