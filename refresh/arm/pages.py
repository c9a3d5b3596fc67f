"""Lists of Azure that never end: a next page that was read before, or more pages than any list has.

Decides when a list counts as endless. Does not know what it lists.
"""

from __future__ import annotations

from refresh.arm.errors import unreadable

MAX_PAGES = 5000
"""ARM's pages have 50 resources or more: https://learn.microsoft.com/rest/api/azure/#async-operations-throttling-and-paging
"""


class PagesSeen:
    """The addresses of a list's next pages so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._seen: set[str] = set()

    def add(self, following: str | None) -> None:
        """Note the address or token of the next page, None for none. Unavailable when the list does not end."""
        if following is None:
            return
        if following in self._seen or len(self._seen) >= MAX_PAGES:
            raise unreadable("a list whose pages do not end")
        self._seen.add(following)
