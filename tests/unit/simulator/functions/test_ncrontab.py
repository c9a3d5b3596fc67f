"""Six-field schedules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.functions.ncrontab import BadSchedule, NeverDue, Schedule

START = datetime(2026, 1, 31, 23, 59, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 2 1 * *", datetime(2026, 2, 1, 2, tzinfo=UTC)),
        ("0 */5 * * * *", datetime(2026, 2, 1, tzinfo=UTC)),
        ("*/20 * * * * *", START + timedelta(seconds=10)),
        ("0 30 3 * * *", datetime(2026, 2, 1, 3, 30, tzinfo=UTC)),
        ("0 0 9-17/4 * * 1-5", datetime(2026, 2, 2, 9, tzinfo=UTC)),
        ("0 0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("0 0 0 13 * 5", datetime(2026, 2, 13, tzinfo=UTC)),
        ("30 59 23 31 1 6", datetime(2032, 1, 31, 23, 59, 30, tzinfo=UTC)),
        ("10/25 0,30 1 * 3,6 *", datetime(2026, 3, 1, 1, 0, 10, tzinfo=UTC)),
        ("0 0 2 * Feb *", datetime(2026, 2, 1, 2, tzinfo=UTC)),
        ("0 0 2 1 MARCH-jun,Dece *", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("0 0 2 * * Mon", datetime(2026, 2, 2, 2, tzinfo=UTC)),
        ("0 0 2 * * tues,Saturday", datetime(2026, 2, 3, 2, tzinfo=UTC)),
        ("0 0 2 * * Mon-5/2", datetime(2026, 2, 2, 2, tzinfo=UTC)),
        ("0 0 2 * * Wed/3", datetime(2026, 2, 4, 2, tzinfo=UTC)),
        ("0 0 2 1 J *", datetime(2027, 1, 1, 2, tzinfo=UTC)),
        ("0 0 2 1 Ju *", datetime(2026, 6, 1, 2, tzinfo=UTC)),
        ("  0  0   2 * * T  ", datetime(2026, 2, 3, 2, tzinfo=UTC)),
        ("007 00 0000000000000002 * * *", datetime(2026, 2, 1, 2, 0, 7, tzinfo=UTC)),
        # A range with swapped ends is turned round: Fri-Mon is Mon-Fri.
        ("0 5-1 2 * * Fri-Mon", datetime(2026, 2, 2, 2, 1, tzinfo=UTC)),
        # A step below 1 is 1, a step beyond the field leaves the first value.
        ("0 */0 * * * *", datetime(2026, 2, 1, tzinfo=UTC)),
        ("0 30/-7 2 * * *", datetime(2026, 2, 1, 2, 30, tzinfo=UTC)),
        ("0 10/+90 2 * * *", datetime(2026, 2, 1, 2, 10, tzinfo=UTC)),
        ("0\t 0\v 2 * * *", datetime(2026, 2, 1, 2, tzinfo=UTC)),
    ],
)
def test_the_next_occurrence_is_the_first_date_the_fields_admit(text: str, expected: datetime) -> None:
    """Steps, ranges, lists, weekdays and leap days; the result is strictly after the given moment."""
    assert Schedule.parse(text).next_after(START) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("0 0 2 1 *", "six fields"),
        ("60 * * * * *", "second"),
        ("* * 24 * * *", "hour"),
        ("* * * 0 * *", "day"),
        ("* * * * 13 *", "month"),
        ("* * * * * 7", "weekday"),
        ("* * * * * 1-7", "weekday"),
        ("* * * * * Sun,7", "weekday"),
        ("* * * 0-5 * *", "day"),
        ("* * * 0/5 * *", "day"),
        ("* 70/5 * * * *", "minute"),
        ("* 5/ * * * *", "minute"),
        ("* /5 * * * *", "minute"),
        ("* 5/2/2 * * * *", "minute"),
        ("* */99999999999 * * * *", "minute"),
        ("* 99999999999 * * * *", "minute"),
        ("* -5 * * * *", "minute"),
        ("* 5- * * * *", "minute"),
        ("* 1-3-5 * * * *", "minute"),
        ("* *-5 * * * *", "minute"),
        ("* ,5 * * * *", "minute"),
        ("* 5, * * * *", "minute"),
        ("* +5 * * * *", "minute"),
        ("* ? * * * *", "minute"),
        ("* * Mon * * *", "hour"),
        ("* * * Jan * *", "day"),
        ("* * * L * *", "day"),
        ("* * * 15W * *", "day"),
        ("* * * * Janx *", "month"),
        ("* * * * Mon *", "month"),
        ("* * * * * Mon#2", "weekday"),
        ("* * * * * Mond-Frid-Sun", "weekday"),
        ("* * * * * 5L", "weekday"),
        ("* ٣ * * * *", "minute"),
        ("0 0\t2 1 * * *\n", "minute"),
        ("x * * * * *", "second"),
        ("", "six fields"),
        ("@daily", "six fields"),
        ("0 0 2 1 * * 2026", "six fields"),
        ("0\t0\t2\t1\t*\t*", "six fields"),
        ("00:30:00", "App Service plan"),
        ("1.00:00", "App Service plan"),
    ],
)
def test_a_schedule_that_cannot_be_read_names_its_field(text: str, named: str) -> None:
    """The message names the invalid one of the six fields."""
    with pytest.raises(BadSchedule, match=named):
        Schedule.parse(text)


def test_a_schedule_that_is_never_due_is_refused() -> None:
    """31 February is refused after a bounded search."""
    with pytest.raises(NeverDue, match="never"):
        Schedule.parse("0 0 0 31 2 *").next_after(START)


def field(low: int, high: int) -> st.SearchStrategy[tuple[str, set[int]]]:
    """A field's text and the values it allows, computed independently of the parser."""
    whole = st.just(("*", set(range(low, high + 1))))
    number = st.integers(low, high).map(lambda n: (str(n), {n}))
    pair = st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted)
    ranged = pair.map(lambda ends: (f"{ends[0]}-{ends[1]}", set(range(ends[0], ends[1] + 1))))
    step = st.integers(1, high).map(lambda n: (f"*/{n}", set(range(low, high + 1, n))))
    part = st.one_of(whole, number, ranged, step)
    return st.lists(part, min_size=1, max_size=3).map(
        lambda parts: (",".join(text for text, _ in parts), set().union(*(values for _, values in parts)))
    )


@settings(max_examples=200)
@given(
    second=field(0, 59),
    minute=field(0, 59),
    hour=field(0, 23),
    weekday=field(0, 6),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
)
def test_nothing_lies_between_a_moment_and_the_next_occurrence(
    second: tuple[str, set[int]],
    minute: tuple[str, set[int]],
    hour: tuple[str, set[int]],
    weekday: tuple[str, set[int]],
    start: datetime,
) -> None:
    """For every schedule the result is later, matches every field, and none of the 500 s before it matches."""
    found = Schedule.parse(f"{second[0]} {minute[0]} {hour[0]} * * {weekday[0]}").next_after(start)

    def admits(moment: datetime) -> bool:
        parts = (moment.second, moment.minute, moment.hour, moment.isoweekday() % 7)
        return all(part in values for part, (_, values) in zip(parts, (second, minute, hour, weekday), strict=True))

    assert found > start
    assert found.microsecond == 0
    assert admits(found)
    earlier = found - timedelta(seconds=1)
    for _ in range(500):
        if earlier <= start:
            break
        assert not admits(earlier)
        earlier -= timedelta(seconds=1)
