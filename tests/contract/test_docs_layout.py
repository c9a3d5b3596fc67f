"""Every page is in the index, and the folders and paths that pages name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
RECORDS = sorted((DOCS / "adr").glob("*.md"))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def is_there(path: str) -> bool:
    """Whether a path exists; `<definition>` stands for any folder."""
    return any(ROOT.glob(re.sub(r"<\w+>", "*", path).rstrip("/")))


def linked(page: Path) -> set[Path]:
    """The files that a page links to."""
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", text_of(page))
    return {(page.parent / target).resolve() for target in targets}


def test_every_page_is_in_the_index() -> None:
    """docs/README.md links to each page, and the README links to docs/README.md."""
    assert set(PAGES) - linked(DOCS / "README.md") == {DOCS / "README.md"}
    assert DOCS / "README.md" in linked(ROOT / "README.md")


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_decision_record_is_short_and_complete(record: Path) -> None:
    """Under 40 lines, with context, decision and consequences; the file name and the title have its number."""
    text = text_of(record)
    assert len(text.splitlines()) < 40
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.startswith(f"# {int(record.name[:4])}. ")
    assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: ", text, re.MULTILINE)


def test_records_are_numbered_without_gaps() -> None:
    """Each decision has its own number."""
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


def changes() -> dict[str, list[str]]:
    """The usual changes in CONTRIBUTING.md, each with its folders."""
    found = re.findall(r"^\| (\d+)\. ([^|]+) \| ([^|]+) \|", text_of(ROOT / "CONTRIBUTING.md"), re.MULTILINE)
    assert [int(number) for number, _, _ in found] == list(range(1, len(found) + 1))
    return {change: re.findall(r"`([\w./<>-]+/)`", folders) for _, change, folders in found}


def test_the_usual_changes_touch_at_most_four_folders() -> None:
    """There are twelve changes, and each names one to four folders."""
    assert len(changes()) == 12
    for change, folders in changes().items():
        assert 1 <= len(folders) <= 4, change
        assert len(set(folders)) == len(folders), change


@pytest.mark.parametrize("change", changes())
def test_the_folders_of_a_change_exist(change: str) -> None:
    """Each folder exists."""
    for folder in changes()[change]:
        assert is_there(folder), folder


def test_architecture_names_every_folder_of_the_app() -> None:
    """The table of layers has each folder of refresh/."""
    page = text_of(DOCS / "architecture.md")
    table = page.partition("## Layers")[2].partition("\n\nInside a layer")[0]
    in_table = set(re.findall(r"`([a-z_]+)/`", table)) - {"refresh"}
    assert in_table == folders_of(ROOT / "refresh")


def folders_of(parent: Path) -> set[str]:
    return {path.name for path in parent.iterdir() if (path / "__init__.py").exists()}


def test_the_glossary_has_twenty_words() -> None:
    """Twenty words, each explained once."""
    glossary = text_of(DOCS / "architecture.md").partition("## Glossary")[2].partition("\n## ")[0]
    words = re.findall(r"^\| ([a-z ]+) \| \S", glossary.replace("| word | meaning |", ""), re.MULTILINE)
    assert len(words) == len(set(words)) == 20


@pytest.mark.parametrize(
    "page",
    [*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))],
    ids=lambda path: path.name,
)
def test_every_path_on_a_page_exists(page: Path) -> None:
    """Each path of the project on a page exists."""
    tops = "|".join(("refresh", "simulator", "tests", "tools", "infra", "bench"))
    for path in re.findall(rf"`((?:{tops})/[\w./*<>-]+)`", text_of(page)):
        assert is_there(path), f"{page.name}: {path}"
