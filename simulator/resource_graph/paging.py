"""Cuts a result into pages and makes the tokens that continue it.

Decides the page size and the content of a token. Does not know queries.

https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data: at most 1,000 rows a page; no
token when the query itself limits the number of rows, or when every column is dynamic.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.resource_graph.query import Result

LARGEST_PAGE = 1000


class PagingError(ValueError):
    """An option of the request is not valid; the text names it."""


@dataclass(frozen=True)
class Page:
    """The rows of one answer: `top` rows after the first `skip`."""

    top: int
    skip: int

    def rows(self, result: Result) -> list[dict[str, Any]]:
        """The rows of this page."""
        return result.rows[self.skip : self.skip + self.top]

    def more(self, result: Result) -> bool:
        """Whether there are rows after this page."""
        return self.skip + self.top < len(result.rows)

    def next_token(self, result: Result) -> str | None:
        """The opaque token for the next page, or None if there is no next page or the result cannot be continued."""
        plain = any(kind != "dynamic" for kind in result.schema.values())
        if not self.more(result) or result.cut or not plain:
            return None
        state = {"$id": "1", "MaxRows": self.top, "RowsToSkip": self.skip + self.top}
        return base64.b64encode(json.dumps(state).encode()).decode()


def page_of(options: Mapping[str, Any]) -> Page:
    """The page that a request's `options` select: `$skipToken` overrides `$skip`, `$top` the token's page size."""
    top, skip = options.get("$top"), options.get("$skip") or 0
    token = options.get("$skipToken")
    if token:
        state = _read_token(str(token))
        top, skip = top or state.top, state.skip
    top = LARGEST_PAGE if top is None else top
    if not isinstance(top, int) or not 1 <= top <= LARGEST_PAGE:
        raise PagingError(f"Value of $top must be between 1 and {LARGEST_PAGE}. Given: {top}.")
    if not isinstance(skip, int) or skip < 0:
        raise PagingError(f"Value of $skip must not be negative. Given: {skip}.")
    return Page(top, skip)


def _read_token(token: str) -> Page:
    try:
        state = json.loads(base64.b64decode(token, validate=True))
        return Page(int(state["MaxRows"]), int(state["RowsToSkip"]))
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise PagingError("The provided $skipToken is not valid.") from None
