"""NCRONTAB schedules of six fields: second, minute, hour, day, month, day of the week.

Decides when a schedule is due next. Pure: the caller passes the time. Reads a text as the library of the Functions host
does (https://github.com/atifaziz/NCrontab: CrontabFieldImpl.cs and CrontabField.cs), oddities included: a step below 1
is 1, a range whose ends are swapped is turned round, any prefix of a name counts, and a field ends at a space only.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_INT32 = 2**31
# `int.Parse`: signs and blanks (other than the space between fields) around the digits.
_STEP = re.compile(r"[\t-\r]*([+-]?0*[0-9]{1,10})[\t-\r]*\Z")
_NUMBER = re.compile(r"(0*[0-9]{1,10})[\t-\r]*\Z")
# Days, hours, minutes, seconds and fractions: https://learn.microsoft.com/dotnet/api/system.timespan.parse
_TIME_SPAN = re.compile(r"\s*-?(?:\d+|(?:\d+[.:])?\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,7})?)?)\s*\Z", re.ASCII)

# 29 February on a given weekday recurs within 40 years, even across 2100.
_SEARCH_DAYS = 41 * 366


@dataclass(frozen=True)
class _Field:
    """One field: its name in messages, its bounds, and the names of its values from `low` upwards."""

    name: str
    low: int
    high: int
    names: Sequence[str] = ()


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 6, _WEEKDAYS),
)


class BadSchedule(ValueError):
    """The text is not a schedule; the message names the field."""


class NeverDue(BadSchedule):
    """The text is a schedule without an occurrence, such as 31 February. The host starts with it: the timer is idle."""


@dataclass(frozen=True)
class Schedule:
    """The values that each field allows. Day and weekday must both match, as in NCrontab."""

    second: tuple[int, ...]
    minute: tuple[int, ...]
    hour: tuple[int, ...]
    day: frozenset[int]
    month: frozenset[int]
    weekday: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read `{second} {minute} {hour} {day} {month} {weekday}`: `*`, `a`, `a-b`, steps (`/n`) and lists of these.

        Months and weekdays also have names; Sunday is 0. BadSchedule names the field.
        """
        fields = [field for field in text.split(" ") if field]
        if len(fields) != len(_FIELDS):
            span = " (a time span needs an App Service plan)" if _TIME_SPAN.match(text) else ""
            raise BadSchedule(f"{text!r}: a schedule has six fields, this one has {len(fields)}{span}")
        sets = [_values(text, field) for text, field in zip(fields, _FIELDS, strict=True)]
        second, minute, hour = (tuple(sorted(values)) for values in sets[:3])
        return cls(second, minute, hour, *(frozenset(values) for values in sets[3:]))

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence strictly after `moment`, in its time zone. NeverDue if there is none."""
        earliest = moment.replace(microsecond=0) + timedelta(seconds=1)
        midnight = earliest.replace(hour=0, minute=0, second=0)
        for days in range(_SEARCH_DAYS):
            day = midnight + timedelta(days=days)
            found = self._first_on(day, earliest) if self._allows(day) else None
            if found is not None:
                return found
        raise NeverDue("the schedule is never due")

    def _allows(self, day: datetime) -> bool:
        return day.month in self.month and day.day in self.day and day.isoweekday() % 7 in self.weekday

    def _first_on(self, day: datetime, earliest: datetime) -> datetime | None:
        for hour in self.hour:
            for minute in self.minute:
                if day.replace(hour=hour, minute=minute, second=59) < earliest:
                    continue
                for second in self.second:
                    found = day.replace(hour=hour, minute=minute, second=second)
                    if found >= earliest:
                        return found
        return None


def _values(text: str, field: _Field) -> set[int]:
    if text.find(",") > 0:
        return set().union(*(_values(part, field) for part in text.split(",")))
    part, step = text, None
    if (slash := text.find("/")) > 0:
        part, step = text[:slash], _step(text[slash + 1 :], text, field)
    if part == "*":
        first, last = field.low, field.high
    elif (dash := part.find("-")) > 0:
        first, last = sorted((_value(part[:dash], text, field), _value(part[dash + 1 :], text, field)))
    else:
        first = _value(part, text, field)
        # `a/n` counts from a to the end of the field.
        last = first if step is None else field.high
    if not field.low <= first <= last <= field.high:
        raise BadSchedule(f"{field.name}: {text!r} is outside {field.low}-{field.high}")
    return set(range(first, last + 1, max(step or 1, 1)))


def _step(digits: str, text: str, field: _Field) -> int:
    found = _STEP.match(digits)
    if found is None or not -_INT32 <= int(found[1]) < _INT32:
        raise BadSchedule(f"{field.name}: the step of {text!r} is not a number")
    return int(found[1])


def _value(part: str, text: str, field: _Field) -> int:
    if found := _NUMBER.match(part):
        return int(found[1])
    for value, name in enumerate(field.names, field.low):
        if part and name.startswith(part.lower()):
            return value
    named = ", a name" if field.names else ""
    raise BadSchedule(f"{field.name}: {text!r} is not a number{named}, a range, * or a step")
