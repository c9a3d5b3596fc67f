"""Markdown for tables, cells and anchors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def literal(text: str) -> str:
    """Text for a cell, escaped so that it is shown unchanged."""
    return re.sub(r"([<>*|_])", r"\\\1", text)


def anchor(heading: str) -> str:
    """The anchor that GitHub generates for a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
