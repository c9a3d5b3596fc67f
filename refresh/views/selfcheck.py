"""How the last self-check ended, and whether swaps wait for one.

Decides the shape of the view. Refuses to know where the book comes from.
"""

from __future__ import annotations

from typing import Any

from refresh.views.book import Book


def selfcheck_view(book: Book, *, required: bool, package: str, bundle: str) -> dict[str, Any]:
    """`passed` is about the package that runs now; `last` is None before the first self-check."""
    last = book.selfcheck
    return {
        "required": required,
        "package": package,
        "bundle": bundle,
        "passed": bool(last and last.get("ok") and last.get("package") == package),
        "last": last,
    }
