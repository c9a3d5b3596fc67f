"""The README keeps up with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from refresh.domain import tags
from refresh.event_messages import EventType

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.parametrize("name", tags.VM_CONTRACT)
def test_every_tag_on_a_vm_has_its_row(name: str) -> None:
    """A tag that people or the app write on a VM stands in the tag table, once."""
    assert len(re.findall(rf"^\| `{name}` \|", README, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", sorted(set(tags.CONTRACT) - set(tags.VM_CONTRACT)))
def test_every_other_tag_is_explained(name: str) -> None:
    """Tags on image definitions and disks are named in the README."""
    assert f"`{name}`" in README or f"`{name}=" in README


@pytest.mark.parametrize("kind", EventType)
def test_every_type_of_event_is_explained(kind: EventType) -> None:
    """What is published stands in the table of events."""
    assert len(re.findall(rf"^\| .*`{re.escape(kind)}`.* \|", README, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", tags.NOT_BUILT_YET)
def test_a_tag_that_is_not_built_says_so(name: str) -> None:
    """What is refused by name is documented as not built yet."""
    (row,) = re.findall(rf"^\| `{name}` \|.*$", README, re.MULTILINE)
    assert "not built yet" in row
