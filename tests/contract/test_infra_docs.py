"""The templates refer to pages and headings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUFFIXES = {".bicep", ".bicepparam", ".kql", ".json"}
FILES = sorted(
    path for path in (ROOT / "infra").rglob("*") if path.suffix in SUFFIXES and not path.name.endswith(".snapshot.json")
)
REFERENCE = re.compile(r"\b(docs/[\w/-]+\.\w+)(?:#([\w-]+))?")


def references() -> list[tuple[str, str, str]]:
    """Every file of infra/ with the page and the heading that it names."""
    return [
        (str(path.relative_to(ROOT)), page, anchor)
        for path in FILES
        for page, anchor in REFERENCE.findall(path.read_text(encoding="utf-8"))
    ]


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub makes links of them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("file", "page", "anchor"), references())
def test_a_page_that_a_template_names_exists(file: str, page: str, anchor: str) -> None:
    """A page in docs/ is a file, and the part after # is one of its headings."""
    assert (ROOT / page).is_file(), file
    assert not anchor or anchor in anchors(ROOT / page), file


def test_templates_name_pages_and_not_the_readme() -> None:
    """Help of a parameter is on a page in docs/; several templates name one."""
    assert [str(path) for path in FILES if "README" in path.read_text(encoding="utf-8")] == []
    assert len(references()) > 5
