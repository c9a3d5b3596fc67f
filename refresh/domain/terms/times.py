"""Times of ARM, which are texts, compared as times: they vary in fraction digits and in the spelling of the zone."""

from __future__ import annotations

from datetime import UTC, datetime


def parse(text: str | None) -> datetime | None:
    """The time that `text` (ISO 8601) spells, in UTC; None when it spells none."""
    try:
        found = datetime.fromisoformat(text) if text else None
        if found is None:
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):  # OverflowError: the first and the last day that there is
        return None


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
