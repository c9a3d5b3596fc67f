"""How the last self-check ended, whether one is stuck, and whether swaps wait for one.

Decides the shape of the view. Does not know where book and instance come from.
"""

from __future__ import annotations

from typing import Any

from refresh.domain.selfcheck.rights_in_scope import EVENTS_CURE, STUCK_AFTER_S, STUCK_CURE, is_stuck
from refresh.domain.terms import times
from refresh.records.selfcheck import WAITING_FOR, CheckRow
from refresh.views.dispatcher_state import Book
from refresh.views.runs import Instance

type Json = dict[str, Any]

_LOST_CURE = "look into the app's log under the run's id (docs/operations.md), and ask again"


def selfcheck_view(
    book: Book, newest: Instance | None, *, required: bool, package: str, bundle: str, now: str | None
) -> Json:
    """What is known of self-checks; `newest` is the one of this package that was begun last, `now` ISO or unknown.

    `passed` is what admission goes by: the last result that the dispatcher keeps is of this package and passed.
    `standing` are checks made at the time of asking (whether a self-check is stuck, whether events arrive), `last` the
    newest result (None before the first), `running` the self-check under way. `ok`: it passed, no newer one says
    otherwise, and every standing check passes.
    """
    last, running = _last(book, newest), None
    if newest is not None and newest.state == "running":
        waiting_for = [str(name) for name in newest.progress.get(WAITING_FOR, ())]
        running = {"run": newest.id, "since": newest.started, "waiting_for": waiting_for}
    standing = [row.to_json() for row in (_stuck(newest, now), _events(book)) if row is not None]
    passed = _has_passed(book.selfcheck, package)
    return {
        "required": required,
        "package": package,
        "bundle": bundle,
        "ok": passed and _has_passed(last, package) and all(row["ok"] for row in standing),
        "passed": passed,
        "standing": standing,
        "running": running,
        "last": last,
    }


def _has_passed(result: Json | None, package: str) -> bool:
    return bool(result and result.get("ok") and result.get("package") == package)


def _last(book: Book, newest: Instance | None) -> Json | None:
    """What the dispatcher keeps, or what a run says that it has not taken."""
    kept = book.selfcheck
    if newest is None or newest.state == "running" or (kept and kept.get("run") == newest.id):
        return kept
    if kept and (times.seconds_between(newest.started, kept.get("at")) or 0.0) > 0:
        return kept
    if "checks" in newest.output:
        return {**newest.output, "at": newest.ended}
    message = f"it was ended ({newest.state}) before it had a result"
    return {"run": newest.id, "ok": False, "checks": [CheckRow("selfcheck", False, message, _LOST_CURE).to_json()]}


def _stuck(newest: Instance | None, now: str | None) -> CheckRow | None:
    if newest is None or newest.state != "running" or not is_stuck(newest.started, now):
        return None
    waiting = ", ".join(str(name) for name in newest.progress.get(WAITING_FOR, ())) or "its first turn"
    message = f"{newest.id} began at {newest.started}, has not ended within {STUCK_AFTER_S} s and waits for {waiting}"
    return CheckRow("selfcheck", False, message[:600], STUCK_CURE)


def _events(book: Book) -> CheckRow:
    events = book.events
    if not book.events_are_missing:
        seen = events.get("seen")
        return CheckRow("events", True, f"the last event came at {seen}" if seen else "no event has come yet")
    vms = ", ".join(str(vm).rsplit("/", 1)[-1] for vm in events.get("vms", ()))
    last = events.get("seen") or "never"
    message = f"events do not arrive: since {events['since']} the sweep alone found edits ({vms}); last event: {last}"
    return CheckRow("events", False, message[:600], EVENTS_CURE)
