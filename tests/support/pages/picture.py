"""Reads the text of a picture of the demo."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree


def squeezed(text: str) -> str:
    """Text without whitespace: a picture positions each word separately."""
    return "".join(text.split())


def lines_of(picture: Path) -> set[str]:
    """The lines of text in a picture, squeezed; the pieces of a line have the same y coordinate."""
    lines: dict[str, list[tuple[float, str]]] = {}
    whole = ElementTree.fromstring(picture.read_text(encoding="utf-8"))  # noqa: S314 - written by `make`, not by a stranger
    for piece in whole.iter("{http://www.w3.org/2000/svg}text"):
        if "y" in piece.attrib and piece.get("text-anchor") is None:
            lines.setdefault(piece.attrib["y"], []).append((float(piece.attrib["x"]), piece.text or ""))
    return {squeezed("".join(text for _, text in sorted(pieces))) for pieces in lines.values()}


def loads_from_elsewhere(picture: Path) -> bool:
    """Whether the picture loads an external resource."""
    return re.search(r"@font-face|url\((?!#)|href=", picture.read_text(encoding="utf-8")) is not None
