"""Collects the results of replayed interactions and computes the pass rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import pytest

from tests.support.recordings.replay import ReplayResult


@dataclass(frozen=True)
class Known:
    """A known difference with its reason. `index` None: in any interaction; `difference` may contain `*`."""

    recording: str
    index: int | None
    difference: str
    reason: str

    def covers(self, result: ReplayResult, difference: str) -> bool:
        """Whether this entry explains `difference`."""
        return (
            result.recording == self.recording
            and self.index in (None, result.index)
            and fnmatchcase(difference, self.difference.replace("[", "[[]"))
        )


@dataclass
class Scoreboard:
    """All results of a run."""

    results: list[ReplayResult] = field(default_factory=list)

    def report(self) -> Iterator[str]:
        """Lines: one per recording, the total, every difference, and what was not sent with its reason."""
        for recording in dict.fromkeys(result.recording for result in self.results):
            yield f"{_rate([v for v in self.results if v.recording == recording])}  {recording}"
        yield f"{_rate(self.results)}  all"
        for result in self.results:
            for difference in result.differences:
                yield f"  differs: {result.recording} #{result.index}: {difference}"
        skipped = [result for result in self.results if result.skipped]
        for reason in dict.fromkeys(str(result.skipped) for result in skipped):
            places = ", ".join(f"{v.recording} #{v.index}" for v in skipped if v.skipped == reason)
            yield f"  not sent ({reason}): {places}"


SCORES = pytest.StashKey[Scoreboard]()


def _rate(results: list[ReplayResult]) -> str:
    sent = [result for result in results if not result.skipped]
    same = sum(1 for result in sent if not result.differences)
    return f"{same:4}/{len(sent):<4} {same / max(1, len(sent)):6.1%}"


def unexplained(results: list[ReplayResult], known: tuple[Known, ...]) -> list[str]:
    """Differences that no entry covers, and entries (of the replayed recordings) that cover no difference."""
    lines: list[str] = []
    used: set[Known] = set()
    for result in results:
        for difference in result.differences:
            covering = [entry for entry in known if entry.covers(result, difference)]
            used.update(covering)
            if not covering:
                lines.append(f"#{result.index} {result.request}: {difference}")
    replayed = {result.recording for result in results}
    stale = [entry for entry in known if entry.recording in replayed and entry not in used]
    return lines + [f"no longer differs: {entry}" for entry in stale]
