"""The demo as a picture: the printed lines as an SVG file.

Decides the size of the picture, and that it loads nothing from elsewhere. Does not know what is printed.
"""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Console

# The width of a usual terminal, and narrow enough to be read in a page.
WIDTH = 80
_TITLE = "python -m simulator demo"
# rich refers to a font on the web, which a picture in a page does not load.
_REMOTE_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def recording_console() -> Console:
    """A console that prints plain lines, in a terminal as well, and records them for `write_picture`."""
    return Console(record=True, width=WIDTH, force_terminal=False)


def write_picture(console: Console, path: Path) -> None:
    """Write what `console` has printed so far to `path` as SVG. OSError when the file cannot be written."""
    path.write_text(_REMOTE_FONT.sub("", console.export_svg(title=_TITLE)), encoding="utf-8")
