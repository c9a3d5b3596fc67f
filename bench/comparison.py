"""Figures of two versions of the app beside each other, as a table and as JSON.

Decides how a figure is shown, and its ratio. Does not know what it measures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

NOT_MEASURED = "-"


@dataclass(frozen=True)
class Figure:
    """One measured number: the part of the benchmark it belongs to, its name, and its unit."""

    part: str
    name: str
    unit: str
    value: float


@dataclass(frozen=True)
class Compared:
    """A figure before and after; None where that version has no such figure."""

    part: str
    name: str
    unit: str
    before: float | None
    after: float | None

    @property
    def ratio(self) -> float | None:
        """Before divided by after: how many times smaller it has become. None for a count, which has no unit."""
        if self.before is None or not self.after or not self.unit:
            return None
        return self.before / self.after

    def to_json(self) -> dict[str, Any]:
        """The row as JSON."""
        return {**asdict(self), "ratio": self.ratio}


def figures_from(rows: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """Figures that were written as JSON objects."""
    return [Figure(row["part"], row["name"], row["unit"], row["value"]) for row in rows]


def compare(before: Sequence[Figure], after: Sequence[Figure]) -> list[Compared]:
    """The rows of both, in the order of `after`; figures that only `before` has follow those of the same part."""
    old, new = ({(each.part, each.name): each for each in side} for side in (before, after))
    parts = list(dict.fromkeys(part for part, _ in (*new, *old)))
    rows = []
    for key in sorted({**dict.fromkeys(new), **dict.fromkeys(old)}, key=lambda key: parts.index(key[0])):
        was, is_now = old.get(key), new.get(key)
        unit = (is_now or old[key]).unit
        rows.append(Compared(*key, unit, was.value if was else None, is_now.value if is_now else None))
    return rows


def comparison_table(rows: Sequence[Compared], title: str) -> Table:
    """The rows as a table."""
    table = Table(title=title, title_justify="left")
    for column in ("", "", "unit"):
        table.add_column(column)
    for column in ("before", "after", "before / after"):
        table.add_column(column, justify="right")
    part = ""
    for row in rows:
        numbers = map(_shown, (row.before, row.after, row.ratio))
        table.add_row(row.part if row.part != part else "", row.name, row.unit, *numbers)
        part = row.part
    return table


def _shown(number: float | None) -> str:
    if number is None:
        return NOT_MEASURED
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:,.{digits}f}"
