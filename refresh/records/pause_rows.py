"""The rows of the dispatcher's state about pause and resume.

Decides their fields. A stored name never changes.
"""

from __future__ import annotations

from refresh.records.rows import Row


class FurtherPause(Row):
    """A pause that was requested while the app was paused."""

    at: str | None = None
    why: str = ""
    by: str | None = None


class Pause(Row):
    """Since when and why no swap is started, who asked for it first, and who asked again."""

    since: str | None = None
    why: str = ""
    by: str | None = None
    also: tuple[FurtherPause, ...] = ()


class Resumption(Row):
    """When, why and by whom the last pause was ended."""

    at: str | None = None
    why: str = ""
    by: str | None = None


class Switch(Row):
    """When the last pause or resume was sent, and the ids of the last signals of both."""

    at: str | None = None
    ids: tuple[str, ...] = ()
