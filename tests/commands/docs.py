"""Writes docs/settings.md and docs/api.md from the code: `python -m tests.commands.docs` (`make docs`).

Decides which pages are generated. Leaves their content to `tests/support/pages/`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.pages.api_page import api_page
from tests.support.pages.settings_page import settings_page

DOCS = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists()) / "docs"

PAGES: Mapping[str, Callable[[], str]] = {"settings.md": settings_page, "api.md": api_page}
"""Each page and the function that generates it."""


def main() -> int:
    """Write every page; exit code 0."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
