"""The text in a picture of the demo."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree


def squeezed(text: str) -> str:
    """Text without blanks: a picture places words by their position."""
    return "".join(text.split())


def lines_of(picture: Path) -> set[str]:
    """The lines of text in a picture, squeezed; the pieces of a line stand at the same height."""
    lines: dict[str, list[tuple[float, str]]] = {}
    whole = ElementTree.fromstring(picture.read_text(encoding="utf-8"))  # noqa: S314 - our own command wrote it
    for piece in whole.iter("{http://www.w3.org/2000/svg}text"):
        if "y" in piece.attrib and piece.get("text-anchor") is None:
            lines.setdefault(piece.attrib["y"], []).append((float(piece.attrib["x"]), piece.text or ""))
    return {squeezed("".join(text for _, text in sorted(pieces))) for pieces in lines.values()}


def loads_from_elsewhere(picture: Path) -> bool:
    """Whether a viewer of the picture would fetch something."""
    return re.search(r"@font-face|url\((?!#)|href=", picture.read_text(encoding="utf-8")) is not None
