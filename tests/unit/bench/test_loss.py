"""The split of a swap's downtime counts every second once: Azure's work, a poll, a hand-over, or the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bench.loss import Span, split_downtime


def at(seconds: float) -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=seconds)


OPERATIONS = [Span(at(0), at(10)), Span(at(12), at(13)), Span(at(14), at(24))]


def test_a_poll_ends_with_the_first_read_that_sees_the_end() -> None:
    """From an operation's end to the first read after it is a poll, from there to the next begin a hand-over."""
    loss = split_downtime(24.5, OPERATIONS, map(at, (5, 9.9, 11, 11.5, 12.5, 13.75, 20)))
    assert loss.polls_s == pytest.approx((1.0, 0.75))
    assert loss.hand_overs_s == pytest.approx((1.0, 0.25))
    assert loss.other_s == pytest.approx(0.5)
    assert loss.work_s == pytest.approx(21.0)
    assert loss.ratio == pytest.approx(24.5 / 21)


def test_without_a_read_the_whole_gap_is_a_hand_over() -> None:
    """If the next operation begins without a read in between, no second counts as a poll."""
    loss = split_downtime(24, OPERATIONS, map(at, (5, 13.0)))
    assert loss.polls_s == pytest.approx((0.0, 0.0))
    assert loss.hand_overs_s == pytest.approx((2.0, 1.0))
    assert loss.other_s == pytest.approx(0.0)
