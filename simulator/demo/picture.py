"""The demo as a picture: what was printed, as an SVG file for a page.

Decides the size of the picture and that it loads nothing from elsewhere. Does not know what is printed.
"""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Console

# Wide enough for the reason beside each VM, narrow enough to be read on a page.
WIDTH = 132
_TITLE = "python -m simulator demo"
# rich names a web font; a page that shows the picture does not load it, and a viewer should not.
_REMOTE_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def recording_console() -> Console:
    """A console that prints plain lines and keeps them for `write_picture`, in a terminal too."""
    return Console(record=True, width=WIDTH, force_terminal=False)


def write_picture(console: Console, path: Path) -> None:
    """Write what `console` has printed so far to `path` as SVG. OSError when the file cannot be written."""
    path.write_text(_REMOTE_FONT.sub("", console.export_svg(title=_TITLE)), encoding="utf-8")
