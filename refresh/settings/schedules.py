"""The parser of schedules: NCRONTAB, which the Functions host reads from the same setting.

Decides which texts are schedules: those that the host reads, except two that it reads as something else than they seem
(a range downwards is turned round, a step below 1 is 1). Does not compute occurrences; the host does.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions,
https://github.com/atifaziz/NCrontab (CrontabFieldImpl.cs)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Longer numbers are outside every field; the host refuses a step that is no 32-bit number.
_PART = re.compile(r"(\*|[0-9]+|[A-Za-z]+)(?:-([0-9]+|[A-Za-z]+))?(?:/([+-]?[0-9]+))?\Z")
_MOST_DIGITS = 10
_LARGEST_STEP = 2**31 - 1
_TIME_SPAN = re.compile(r"-?(?:[0-9]+\.)?[0-9]+:[0-9]+(?::[0-9.]+)?\Z")

# Day and weekday must both match.
_EXAMPLE = "a valid one is 0 0 2 8-14 * Tue for 02:00 on the second Tuesday"

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@dataclass(frozen=True)
class _Field:
    """One field: its name in messages, its bounds, and the names of its values from `low` upwards."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What the field may contain, as the end of a message."""
        named = f", names ({self.names[0][:3].title()}-{self.names[-1][:3].title()})" if self.names else ""
        return f"use *, */n, {self.low}-{self.high}{named}, ranges and lists"


_FIELDS = (
    _Field("seconds", 0, 59),
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("days", 1, 31),
    _Field("months", 1, 12, _MONTHS),
    _Field("weekdays", 0, 6, _WEEKDAYS),
)


def schedule(text: str) -> str:
    """Six NCRONTAB fields, separated by spaces."""
    if _TIME_SPAN.match(text):
        raise ValueError("must have six fields, like 0 */30 * * * *: a time span works only on an App Service plan")
    fields = [field for field in text.split(" ") if field]
    if len(fields) != len(_FIELDS):
        raise ValueError(
            "must have six fields (seconds minutes hours days months weekdays), like 0 0 2 1 * * for 02:00 on the 1st"
        )
    for value, field in zip(fields, _FIELDS, strict=True):
        for part in value.split(","):
            if fault := _fault(part, field):
                raise ValueError(f"cannot read {value!r} as {field.name}: {fault}; {_EXAMPLE}")
    return " ".join(fields)


def _fault(part: str, field: _Field) -> str | None:
    """Why one element of a field's list is refused; None for a good one."""
    found = _PART.match(part)
    if found is None or (found[1] == "*" and found[2]):
        return field.allowed
    ends = [_value(end, field) for end in found.group(1, 2) if end not in (None, "*")]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return field.allowed
    if any(not field.low <= end <= field.high for end in known):
        sunday = ", Sunday is 0" if field.names is _WEEKDAYS else ""
        return f"{field.low}-{field.high} are allowed{sunday}"
    if known != sorted(known):
        return "a range goes upwards; write a list of two ranges, because the host turns this one round"
    if found[3] and not 1 <= int(found[3][: _MOST_DIGITS + 1]) <= _LARGEST_STEP:
        return f"a step is a number from 1 to {_LARGEST_STEP}"
    return None


def _value(text: str, field: _Field) -> int | None:
    """The number of a value; the host reads any beginning of a name, and the first name that has it counts."""
    if text.isdigit():
        return int(text[-_MOST_DIGITS:]) if not text[:-_MOST_DIGITS].strip("0") else field.high + 1
    return next((number for number, name in enumerate(field.names, field.low) if name.startswith(text.lower())), None)
