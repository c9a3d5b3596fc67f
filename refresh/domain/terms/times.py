"""Times of ARM, which are texts, compared as times: they vary in fraction digits and in the spelling of the zone."""

from __future__ import annotations

from datetime import UTC, datetime

_FIRST_YEAR, _LAST_YEAR = 2000, 2999


def parse(text: str | None) -> datetime | None:
    """The time that `text` (ISO 8601) spells, in UTC; None when it spells none."""
    try:
        found = datetime.fromisoformat(text) if text else None
        if found is None:
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):  # OverflowError: the first and the last day that there is
        return None


def parse_plausible(text: str | None) -> datetime | None:
    """Like `parse`, but None also for a time that no event or run can have: outside the years 2000 to 2999.

    Azure Tables knows no time before 1601, and no time can be added at the end of the calendar:
    https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model#property-types
    """
    found = parse(text)
    return found if found is not None and _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def in_seconds(text: str | None) -> str | None:
    """The time without fractions of a second, in UTC; a text that is not a time as it is."""
    found = parse(text)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ") if found is not None else text


def seconds_between(earlier: str | None, later: str | None) -> float | None:
    """Seconds from `earlier` to `later`; None when either is not a time."""
    start, end = parse(earlier), parse(later)
    return (end - start).total_seconds() if start and end else None


def later(text: str | None, other: str | None) -> str | None:
    """The later of two times, as text; when one is not a time, the other."""
    gap = seconds_between(other, text)
    if gap is None:
        return text if parse(text) else other
    return text if gap >= 0 else other


def not_before(text: str | None, other: str | None) -> bool:
    """Whether `text` is the same time as `other` or later; False when either is not a time."""
    gap = seconds_between(other, text)
    return gap is not None and gap >= 0
