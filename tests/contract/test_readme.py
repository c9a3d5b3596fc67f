"""The README is short, honest and in step with the code; what its commands answer is what it shows."""

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
    """A line without blanks and numbers: what does not differ from run to run."""
    return re.sub(r"\d", "", squeezed(text))


def blocks(kind: str) -> list[str]:
    """The code blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_it_is_read_in_one_sitting() -> None:
    """At most 150 lines."""
    assert len(README.splitlines()) <= 150


def test_it_says_what_has_not_been_tried() -> None:
    """The status names the version, and that nothing has run in Azure, for as long as the deployment's page does."""
    (status,) = re.findall(r"^> \*\*Status: (.+)$", README, re.MULTILINE)
    assert status.startswith(f"{__version__}. ")
    deploy = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert ("None of this has been run in Azure yet" in deploy) == ("Nothing has run in Azure yet" in status)


def test_the_picture_is_a_recording_that_ended_well() -> None:
    """docs/demo.svg is shown, shows the end of the story, and loads nothing from elsewhere."""
    assert "](docs/demo.svg)" in README
    assert squeezed("Every VM is where it should be.") in lines_of(PICTURE)
    assert not loads_from_elsewhere(PICTURE)


def test_the_demo_answers_what_is_shown() -> None:
    """Each line of the demo's answer is one of the recording."""
    recorded = {without_numbers(line) for line in lines_of(PICTURE)}
    answer = blocks("text")[0].splitlines()
    assert len(answer) >= 3
    assert [line for line in answer if without_numbers(line) not in recorded] == []


def test_there_are_three_commands_to_try() -> None:
    """Below *Try it* each command is a block of its own with its answer below it, and each make target exists."""
    (part,) = re.findall(r"^## Try it.*?(?=^## )", README, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^```(\w+)$", part, re.MULTILINE) == ["sh", "text"] * 3
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z-]+)$", part, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_four_tags_are_shown() -> None:
    """The tags to begin with, each with its row; the page of all tags is named."""
    rows = re.findall(r"^\| `([A-Za-z]+)` \|", README, re.MULTILINE)
    assert [row for row in rows if row in tags.CONTRACT] == list(tags.VM_CONTRACT[:4])
    assert "](docs/tags.md)" in README


@pytest.mark.parametrize("status", [*(status for status in STATUSES if status not in ("running", "failed")), "skipped"])
def test_every_end_of_a_swap_is_explained(status: str) -> None:
    """How a swap can end stands in the table of results."""
    assert len(re.findall(rf"^\| `{status}` \|", README, re.MULTILINE)) == 1


def test_who_is_trusted_is_said_where_it_is_read() -> None:
    """What a tag writer and a function key can do stands in the README, not only on a page behind it."""
    assert "function key is fleet admin" in README
    assert "a tag writer can restart that VM" in README
