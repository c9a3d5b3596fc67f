"""Lines of text for a terminal of any width.

Decides where lines break: between words only, so that ids, addresses and disk names stay whole.
"""

from __future__ import annotations

import textwrap

from rich.console import Console


def write(console: Console, text: str, *, indent: int = 0, style: str | None = None) -> None:
    """Print `text` wrapped to the console's width; lines after the first are indented by `indent` blanks."""
    wrapped = textwrap.fill(
        text, console.width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    console.print(wrapped, style=style, markup=False, highlight=False, soft_wrap=True)
