"""The pauses between reads lose little of any duration and never use up Azure's read counters."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refresh.domain.azure.polls import GROWTH, LONGEST_S, SELDOM_FROM_S, SELDOM_S
from refresh.domain.azure.rhythm import ReadsLeft, choose_pause_s

PLENTY = ReadsLeft(36, 250)


@dataclass
class Counter:
    """A read counter of Azure: a number of reads, refilled each second."""

    size: int
    per_s: float
    level: float
    at_s: float = 0.0

    def draw(self, at_s: float) -> int:
        self.level = min(self.size, self.level + (at_s - self.at_s) * self.per_s) - 1
        self.at_s = at_s
        assert self.level >= 0, f"used up after {at_s} s"
        return int(self.level)


def lost_s(takes_s: float, first_s: float, shortest_s: float, counter: Counter | None = None) -> float:
    """How late the end of an operation of `takes_s` seconds is seen."""
    at_s = first_s
    while True:
        left = counter.draw(at_s) if counter else None
        if at_s >= takes_s:
            return at_s - takes_s
        at_s += choose_pause_s(at_s, shortest_s, ReadsLeft(left))


@given(st.floats(1.0, 900.0), st.floats(0.2, 1.0), st.floats(0.1, 1.0))
def test_little_of_any_duration_is_lost(takes_s: float, shortest_s: float, first: float) -> None:
    """The end is seen within the shortest pause, or within a twentieth of the elapsed time."""
    assert lost_s(takes_s, first * takes_s, shortest_s) <= max(shortest_s, takes_s * GROWTH) + 1e-9


@pytest.mark.parametrize(("under_way_s", "pause_s"), [(0, 0.3), (10, 0.5), (40, 2), (120, LONGEST_S), (600, SELDOM_S)])
def test_pauses_grow_with_the_time_that_has_passed(under_way_s: float, pause_s: float) -> None:
    """Pauses grow from the shortest to the longest, which is longer after an unusual time."""
    assert choose_pause_s(under_way_s, 0.3, PLENTY) == pytest.approx(pause_s)
    assert choose_pause_s(under_way_s, 0.3) == pytest.approx(pause_s)


@given(st.floats(2.0, 900.0), st.floats(0.3, 1.0), st.integers(1, 36), st.sampled_from([(36, 12 / 60), (45, 15 / 60)]))
def test_no_resource_is_read_too_often(
    takes_s: float, shortest_s: float, left: int, counter: tuple[int, float]
) -> None:
    """With any number of reads left of a VM or an operation, no read is answered with 429."""
    lost_s(takes_s, first_s=1.0, shortest_s=shortest_s, counter=Counter(*counter, level=left + 1))


@given(st.integers(1, 45), st.integers(1, 45), st.floats(0, 900), st.sampled_from(["of_resource", "of_subscription"]))
def test_fewer_reads_left_never_shorten_a_pause(one: int, other: int, under_way_s: float, which: str) -> None:
    """A lower counter of either kind never shortens a pause."""
    few, more = sorted((one, other))
    pauses = [choose_pause_s(under_way_s, 0.3, ReadsLeft(**{which: left})) for left in (few, more)]
    assert pauses[0] >= pauses[1] >= choose_pause_s(under_way_s, 0.3)


def test_a_longer_shortest_pause_is_kept() -> None:
    """A pause is never shorter than the given shortest one, even when that exceeds the longest."""
    assert choose_pause_s(0, 20.0, ReadsLeft(0, 0)) == 20.0
    assert choose_pause_s(SELDOM_FROM_S, 5.0) == SELDOM_S
