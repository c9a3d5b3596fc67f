"""Collects verdicts on recorded interactions and says the pass rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import pytest

from tests.support.recordings.replay import Verdict


@dataclass(frozen=True)
class Known:
    """A difference that is known and explained. `index` None: in any interaction; `difference` may hold `*`."""

    recording: str
    index: int | None
    difference: str
    reason: str

    def covers(self, verdict: Verdict, difference: str) -> bool:
        """Whether this entry explains `difference`."""
        return (
            verdict.recording == self.recording
            and self.index in (None, verdict.index)
            and fnmatchcase(difference, self.difference.replace("[", "[[]"))
        )


@dataclass
class Scoreboard:
    """All verdicts of a run."""

    verdicts: list[Verdict] = field(default_factory=list)

    def report(self) -> Iterator[str]:
        """Lines: one per recording, the total, every difference, and what was not sent with its reason."""
        for recording in dict.fromkeys(verdict.recording for verdict in self.verdicts):
            yield f"{_rate([v for v in self.verdicts if v.recording == recording])}  {recording}"
        yield f"{_rate(self.verdicts)}  all"
        for verdict in self.verdicts:
            for difference in verdict.differences:
                yield f"  differs: {verdict.recording} #{verdict.index}: {difference}"
        skipped = [verdict for verdict in self.verdicts if verdict.skipped]
        for reason in dict.fromkeys(str(verdict.skipped) for verdict in skipped):
            places = ", ".join(f"{v.recording} #{v.index}" for v in skipped if v.skipped == reason)
            yield f"  not sent ({reason}): {places}"


SCORES = pytest.StashKey[Scoreboard]()


def _rate(verdicts: list[Verdict]) -> str:
    sent = [verdict for verdict in verdicts if not verdict.skipped]
    same = sum(1 for verdict in sent if not verdict.differences)
    return f"{same:4}/{len(sent):<4} {same / max(1, len(sent)):6.1%}"


def unexplained(verdicts: list[Verdict], known: tuple[Known, ...]) -> list[str]:
    """Differences no entry covers, and entries (of the recordings replayed) that cover nothing any more."""
    lines: list[str] = []
    used: set[Known] = set()
    for verdict in verdicts:
        for difference in verdict.differences:
            covering = [entry for entry in known if entry.covers(verdict, difference)]
            used.update(covering)
            if not covering:
                lines.append(f"#{verdict.index} {verdict.request}: {difference}")
    replayed = {verdict.recording for verdict in verdicts}
    stale = [entry for entry in known if entry.recording in replayed and entry not in used]
    return lines + [f"no longer differs: {entry}" for entry in stale]
