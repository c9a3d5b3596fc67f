"""docs/performance.md has the poll rhythms and limits of the code."""

from __future__ import annotations

from pathlib import Path

from refresh.activities.swap import ensure_os_disk, ensure_stopped
from refresh.domain.azure import rhythm
from refresh.domain.vm.stop_mode import StopMode

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def test_the_page_has_the_rhythms() -> None:
    """The table has the first read and the shortest pause of each step in each stop mode."""
    for step, rhythms in (("stop", ensure_stopped.RHYTHMS), ("disk", ensure_os_disk.RHYTHMS)):
        for mode in StopMode:
            each = rhythms[mode]
            assert f"| {step} | {mode} | {each.first_s:g} | {each.then_s:g} |" in DOC


def test_the_page_has_the_limits() -> None:
    """The page has the longest pauses and the numbers of reads left below which pauses grow."""
    assert rhythm.GROWTH == 1 / 20
    assert "at most a twentieth of any operation is lost" in DOC
    assert f"Pauses grow to {rhythm.LONGEST_S:g} s, and to {rhythm.SELDOM_S:g} s" in DOC
    few = f"Below {rhythm.ENOUGH_OF_RESOURCE} reads of a VM or operation, or {rhythm.ENOUGH_OF_SUBSCRIPTION} of the"
    assert few in DOC


def test_the_readme_links_to_the_page_about_performance() -> None:
    """The README links to docs/performance.md."""
    assert "docs/performance.md" in (ROOT / "README.md").read_text(encoding="utf-8")
