"""The README is short, states its limits and matches the code and the output of its commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from refresh import __version__
from refresh.domain.terms import tags
from refresh.views.runs import STATUSES
from tests.support.pages.picture import lines_of, loads_from_elsewhere, squeezed

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = ROOT / "docs" / "demo.svg"


def without_numbers(text: str) -> str:
    """A line without blanks and digits: the part that is the same in every run."""
    return re.sub(r"\d", "", squeezed(text))


def blocks(kind: str) -> list[str]:
    """The code blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_readme_is_short() -> None:
    """At most 150 lines."""
    assert len(README.splitlines()) <= 150


def test_the_status_names_what_has_not_been_tried() -> None:
    """The status has the version, and states that nothing has run in Azure as long as docs/deploy.md states it."""
    (status,) = re.findall(r"^> \*\*Status: (.+)$", README, re.MULTILINE)
    assert status.startswith(f"{__version__}. ")
    deploy = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert ("None of this has been run in Azure yet" in deploy) == ("Nothing has run in Azure yet" in status)


def test_the_picture_is_a_recording_that_ended_well() -> None:
    """The README shows docs/demo.svg, which contains the end of the demo and loads no other file."""
    assert "](docs/demo.svg)" in README
    assert squeezed("Every VM is where it should be.") in lines_of(PICTURE)
    assert not loads_from_elsewhere(PICTURE)


def test_the_shown_answer_of_the_demo_is_recorded() -> None:
    """Each line of the demo's answer is a line of the recording."""
    recorded = {without_numbers(line) for line in lines_of(PICTURE)}
    answer = blocks("text")[0].splitlines()
    assert len(answer) >= 3
    assert [line for line in answer if without_numbers(line) not in recorded] == []


def test_there_are_three_commands_to_try() -> None:
    """Below *Try it* each command is a separate block followed by its answer, and each make target exists."""
    (part,) = re.findall(r"^## Try it.*?(?=^## )", README, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^```(\w+)$", part, re.MULTILINE) == ["sh", "text"] * 3
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z-]+)$", part, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_four_tags_are_shown() -> None:
    """The first four tags each have a row, and the README links to the page of all tags."""
    rows = re.findall(r"^\| `([A-Za-z]+)` \|", README, re.MULTILINE)
    assert [row for row in rows if row in tags.CONTRACT] == list(tags.VM_CONTRACT[:4])
    assert "](docs/tags.md)" in README


@pytest.mark.parametrize("status", [*(status for status in STATUSES if status not in ("running", "failed")), "skipped"])
def test_every_end_of_a_swap_is_explained(status: str) -> None:
    """The table of results has each status that a swap can end with."""
    assert len(re.findall(rf"^\| `{status}` \|", README, re.MULTILINE)) == 1


def test_the_readme_states_who_is_trusted() -> None:
    """The README itself states what a tag writer and the holder of a function key can do."""
    assert "function key is fleet admin" in README
    assert "a tag writer can restart that VM" in README
