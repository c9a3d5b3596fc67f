"""Schedules: the settings accept what the Functions host reads, and explain what they refuse."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from refresh.settings.schedules import schedule
from refresh.settings.settings import Settings, SettingsError
from simulator.functions.ncrontab import BadSchedule, Schedule

_SCHEDULES = ("REFRESH_SCHEDULE", "SWEEP_SCHEDULE", "PURGE_SCHEDULE", "RETENTION_SCHEDULE")
_EXAMPLES = ("0 0 2 8-14 * Tue", "0 0 2 1 * *", "0 */30 * * * *")
_SCOPE = {"REFRESH_SUBSCRIPTIONS": "00000000-0000-4000-8000-000000000001"}


@pytest.mark.parametrize(
    "text",
    [
        "* * * * * *",
        "0 0 2 1 * *",
        "0 */5 * * * *",
        "0 5/10 9-17/2 1,15,31 * *",
        "0 0 2 1 Jan-Dec Sun-Sat",
        "0 0 2 1 JAN,apr,July,oct *",
        "0 0 2 * February-11/3 MONDAY",
        "0 0 2 * * Mon-5",
        "0 0 2 * * Tue/2",
        "0 0 2 8-14 * TUE",
        "0 30 3 15-21 Mar,Jun,Sep,Dec Tuesday",
        "0 0 2 * j,S m",
        "00 007 02 01 012 0",
        "*/90 */+7 * * * *",
        "0 0 0 31 2 *",
    ],
)
def test_a_schedule_of_the_host_is_accepted(text: str) -> None:
    """Numbers, names and their beginnings, ranges, lists and steps; the host reads the accepted text too."""
    assert schedule(text) == text
    assert Schedule.parse(text)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("0 2 1 * *", "six fields"),
        ("0 0 2 1 * * 2026", "six fields"),
        ("@monthly", "six fields"),
        ("0\t0\t2\t1\t*\t*", "six fields"),
        ("00:30:00", "App Service plan"),
        ("1.00:00", "App Service plan"),
        ("60 * * * * *", "'60' as seconds: 0-59 are allowed"),
        ("0 0 24 * * *", "'24' as hours: 0-23 are allowed"),
        ("0 0 0 0/5 * *", "'0/5' as days: 1-31 are allowed"),
        ("0 0 0 * 0-6 *", "'0-6' as months: 1-12 are allowed"),
        ("0 0 0 * * 7", "'7' as weekdays: 0-6 are allowed, Sunday is 0"),
        ("0 0 0 * * 1-7", "Sunday is 0"),
        ("0 0 0 * * Sat,7", "Sunday is 0"),
        ("0 99999999999999999999 0 * * *", "minutes: 0-59 are allowed"),
        ("0 0 0 * Sun *", "months: use *, */n, 1-12, names (Jan-Dec), ranges and lists"),
        ("0 0 0 * * Jan", "weekdays: use *, */n, 0-6, names (Sun-Sat), ranges and lists"),
        ("0 0 0 * * Sonntag", "names (Sun-Sat)"),
        ("0 0 Mon * * *", "hours: use *, */n, 0-23, ranges and lists"),
        ("0 0 0 L * *", "days: use"),
        ("0 0 0 ? * *", "days: use"),
        ("0 0 0 15W * *", "days: use"),
        ("0 0 0 * * Mon#2", "weekdays: use"),
        ("0 0 0 *-5 * *", "days: use"),
        ("0 0 0 1-2-3 * *", "days: use"),
        ("0 /5 0 * * *", "minutes: use"),
        ("0 5/ 0 * * *", "minutes: use"),
        ("0 5, 0 * * *", "minutes: use"),
        ("0 -5 0 * * *", "minutes: use"),
        ("0 ٣ 0 * * *", "minutes: use"),
        ("0 */0 * * * *", "a step is a number from 1"),
        ("0 */-1 * * * *", "a step is a number from 1"),
        ("0 */99999999999 * * * *", "a step is a number from 1"),
        ("0 0 0 * * Fri-Mon", "a range goes upwards"),
        ("0 30-10 * * * *", "a range goes upwards"),
    ],
)
@pytest.mark.parametrize("name", _SCHEDULES)
def test_a_text_that_is_no_schedule_is_refused_with_its_cure(name: str, text: str, cure: str) -> None:
    """The fault begins with the setting's name and has what the field must be."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({**_SCOPE, name: text})
    (fault,) = raised.value.faults
    assert fault.startswith(name)
    assert cure in fault
    assert any(valid in fault and Schedule.parse(valid) for valid in _EXAMPLES), fault


_NUMBER = st.integers(0, 70).map(str)
_NAME = st.sampled_from(["Jan", "ju", "Sept", "December", "Sun", "t", "SAT", "monday", "x"])
_VALUE = st.one_of(_NUMBER, _NAME, st.sampled_from(["*", "", "?", "L", "007", "+1", "7"]))
_ELEMENT = st.one_of(
    _VALUE,
    st.tuples(_VALUE, _VALUE).map("-".join),
    st.tuples(_VALUE, st.sampled_from(["1", "2", "+3", "0", "-1", "90", "x", "99999999999"])).map("/".join),
    st.tuples(_VALUE, _VALUE, _NUMBER).map(lambda each: f"{each[0]}-{each[1]}/{each[2]}"),
    st.text("0123456789*-/,JanuMonSt ", max_size=6),
)
_TEXT = st.lists(st.lists(_ELEMENT, min_size=1, max_size=3).map(",".join), min_size=5, max_size=7).map(" ".join)
# Five fields are good, so that the sixth decides often.
_ONE_FIELD = st.tuples(st.integers(0, 5), _ELEMENT).map(
    lambda each: " ".join(each[1] if place == each[0] else "*" for place in range(6))
)


@settings(max_examples=1500)
@given(st.one_of(_TEXT, _ONE_FIELD))
@example("* * * * * 7")
@example("* * * * * Fri-Mon")
@example("*/0 * * * * *")
def test_settings_and_host_agree(text: str) -> None:
    """The settings accept no text that the host refuses, and refuse only two kinds that the host reads differently."""
    try:
        schedule(text)
        fault = None
    except ValueError as refused:
        fault = str(refused)
    try:
        Schedule.parse(text)
    except BadSchedule:
        assert fault is not None
    else:
        assert fault is None or "a range goes upwards" in fault or "a step is" in fault
