"""NCRONTAB schedules of six fields: second, minute, hour, day, month, day of the week.

Decides when a schedule is due next. Pure: the caller passes the time.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_FIELDS = (("second", 0, 59), ("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_PART = re.compile(r"^(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?$")

# 29 February on a given weekday recurs within 40 years, even across 2100.
_SEARCH_DAYS = 41 * 366


class BadSchedule(ValueError):
    """The text is not a schedule; the message names the field."""


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
        """Read `{second} {minute} {hour} {day} {month} {weekday}`, each of `*`, `a`, `a-b`, `*/n`, `a-b/n`, lists.

        BadSchedule names the field. Sunday is 0. Names of months and days are not supported.
        """
        fields = text.split()
        if len(fields) != len(_FIELDS):
            raise BadSchedule(f"{text!r}: a schedule has six fields, this one has {len(fields)}")
        sets = [_values(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)]
        second, minute, hour = (tuple(sorted(values)) for values in sets[:3])
        return cls(second, minute, hour, *(frozenset(values) for values in sets[3:]))

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence strictly after `moment`, in its time zone. BadSchedule if there is none."""
        earliest = moment.replace(microsecond=0) + timedelta(seconds=1)
        midnight = earliest.replace(hour=0, minute=0, second=0)
        for days in range(_SEARCH_DAYS):
            day = midnight + timedelta(days=days)
            found = self._first_on(day, earliest) if self._allows(day) else None
            if found is not None:
                return found
        raise BadSchedule("the schedule is never due")

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


def _values(field: str, name: str, low: int, high: int) -> set[int]:
    values: set[int] = set()
    for part in field.split(","):
        match = _PART.match(part)
        if match is None:
            raise BadSchedule(f"{name}: {part!r} is not a number, a range, * or a step")
        first = low if match[1] is None else int(match[1])
        # `a/n` counts from a to the end of the field.
        last = high if match[1] is None or (match[2] is None and match[3]) else int(match[2] or match[1])
        step = int(match[3] or 1)
        if not (low <= first <= last <= high) or step < 1:
            raise BadSchedule(f"{name}: {part!r} is outside {low}-{high}")
        values.update(range(first, last + 1, step))
    return values
