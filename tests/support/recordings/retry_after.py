"""The recorded Retry-After of each long-running operation.

The CLI's recorder removes the header; this table is from recordings that kept it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.support.recordings.recordings import Interaction

_NONE: frozenset[int | None] = frozenset({None})


@dataclass(frozen=True)
class RetryAfter:
    """The values (seconds, None: no header) seen on the first answer and on polls that find the operation running."""

    first: frozenset[int | None] = _NONE
    polls: frozenset[int | None] = _NONE

    def of_first(self, headers: Mapping[str, str]) -> Iterator[str]:
        """The difference of the header on the first answer."""
        yield from _compare(headers, self.first, "the first answer")

    def of_poll(self, headers: Mapping[str, str], *, in_progress: bool) -> Iterator[str]:
        """The difference of the header on a poll; the last poll never has the header."""
        yield from _compare(headers, self.polls if in_progress else _NONE, "a poll" if in_progress else "the last poll")


def _compare(headers: Mapping[str, str], allowed: frozenset[int | None], where: str) -> Iterator[str]:
    value = headers.get("Retry-After")
    seconds = int(value) if value and value.isdigit() else value
    if seconds not in allowed:
        yield f"Retry-After {seconds} on {where}, recorded {sorted(allowed, key=str)}"


def _row(first: int | None, *polls: int | None) -> RetryAfter:
    return RetryAfter(frozenset({first}), frozenset(polls or (None,)))


_VM_CREATE = RetryAfter(frozenset({10}), frozenset(range(30, 71)))
_ACTIONS = {
    "deallocate": _row(10, 30, None),
    "start": _row(10, 10, None),
    "restart": _row(10, 10, None),
}
_VM = "microsoft.compute/virtualmachines"
_VERSION = "microsoft.compute/galleries/images/versions"
_DISKS = ("microsoft.compute/disks", "microsoft.compute/snapshots")


def retry_after_of(begun: Interaction) -> RetryAfter:
    """The table's row for the operation that a recorded request begins; without a row there is no header."""
    if begun.action:
        return _ACTIONS.get(begun.action, RetryAfter())
    match begun.method, begun.type:
        case "DELETE", t if t == _VM:
            return _row(10, 30)
        case "PUT", t if t == _VM and begun.status == 201:
            return _VM_CREATE
        case "PUT" | "PATCH", t if t in _DISKS:
            return _row(2, 10)
        case _, t if t == _VERSION:
            return _row(60, 60)
    return RetryAfter()
