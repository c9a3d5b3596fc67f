"""Who is looked at, who is being swapped, who waits and for what.

Decides the shape of the queue's view. Refuses to know where the book comes from.
"""

from __future__ import annotations

from typing import Any

from refresh.domain.terms import resource_id
from refresh.domain.vm.wish import disk_text
from refresh.views.dispatcher_state import Book

type Json = dict[str, Any]


def queue_view(book: Book, max_swaps: int) -> Json:
    """The whole queue: `paused`, `running`, `waiting` in the order of their turn, and `looking` (VM ids).

    `max_swaps` is the setting: the book learns of it with the next look, before anybody is admitted by it.
    """
    pause = book.paused
    return {
        "paused": pause is not None,
        "paused_since": pause.get("since") if pause else None,
        "paused_why": pause.get("why") if pause else None,
        "max_swaps": max_swaps,
        "running": [_running(book, vm, row) for vm, row in book.running.items()],
        "waiting": [_waiting(book, vm, row) for vm, row in book.queue.items()],
        "looking": book.looking,
    }


def _running(book: Book, vm: str, row: Json) -> Json:
    intent = row.get("intent") or {}
    return {
        "vm": row["id"],
        "run": book.run_of(vm),
        "since": row.get("since"),
        "step": row.get("step"),
        "old_disk": intent.get("old_disk"),
        "new_disk": intent.get("new_disk"),
    }


def _waiting(book: Book, vm: str, row: Json) -> Json:
    wait = book.waits.get(vm)
    wanted = row.get("wanted") or ""
    return {
        "vm": row["id"],
        "wanted": disk_text(vm, wanted) if resource_id.parse(wanted) else wanted or None,
        "since": row.get("since"),
        "reason": str(wait) if wait is not None else None,
        "message": book.why_waiting(vm),
    }
