"""docs/performance.md tells the rhythms and limits that the code has."""

from __future__ import annotations

from pathlib import Path

from refresh.activities.swap import ensure_os_disk, ensure_stopped
from refresh.domain.azure import polls
from refresh.domain.terms.stop_mode import StopMode

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def test_the_rhythms_stand_there() -> None:
    """The table has the first look and the shortest pause of each step in each stop mode."""
    for step, rhythms in (("stop", ensure_stopped.RHYTHMS), ("disk", ensure_os_disk.RHYTHMS)):
        for mode in StopMode:
            each = rhythms[mode]
            assert f"| {step} | {mode} | {each.first_s:g} | {each.then_s:g} |" in DOC


def test_the_limits_stand_there() -> None:
    """So do the longest pauses and from how many reads left the pauses grow."""
    assert polls.GROWTH == 1 / 20
    assert "at most a twentieth of any operation is lost" in DOC
    assert f"Pauses grow to {polls.LONGEST_S:g} s, and to {polls.SELDOM_S:g} s" in DOC
    few = f"Below {polls.ENOUGH_OF_RESOURCE} reads of a VM or operation, or {polls.ENOUGH_OF_SUBSCRIPTION} of the"
    assert few in DOC


def test_the_page_can_be_found() -> None:
    """The README leads to it."""
    assert "docs/performance.md" in (ROOT / "README.md").read_text(encoding="utf-8")
