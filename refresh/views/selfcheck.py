"""How the last self-check ended, whether one is stuck, and whether swaps wait for one.

Decides the shape of the view. Does not know how the dispatcher's state and the instance were read.
"""

from __future__ import annotations

from typing import Any

from refresh.dispatcher.edits import are_missing
from refresh.domain.selfcheck.rights_in_scope import EVENTS_CURE, STUCK_AFTER_S, STUCK_CURE, is_stuck
from refresh.domain.terms import times
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.hint_rows import EventsSeen
from refresh.records.selfcheck import WAITING_FOR, CheckRow
from refresh.views.dispatcher_state import DispatcherView
from refresh.views.runs import Instance

type Json = dict[str, Any]

_LOST_CURE = "look into the app's log under the run's id (docs/operations.md), and start another"


def selfcheck_view(
    dispatcher: DispatcherView, newest: Instance | None, *, required: bool, package: str, bundle: str, now: str | None
) -> Json:
    """The view of self-checks; `newest` is the one of this package that began last, `now` is ISO or None (unknown).

    `passed` is what admission checks: the dispatcher's last result is of this package and passed. `standing` are checks
    of this moment (whether a self-check is stuck, whether events arrive), `last` the newest result (None before the
    first), `running` the self-check under way. `ok`: it passed, no newer one failed, and every standing check passes.
    """
    stored = dispatcher.state.selfcheck
    kept = stored.json if stored is not None else None
    last, running = _last(kept, newest), None
    if newest is not None and newest.state == "running":
        waiting_for = [str(name) for name in newest.progress.get(WAITING_FOR, ())]
        running = {"run": newest.id, "since": newest.started, "waiting_for": waiting_for}
    standing = [row.to_json() for row in (_stuck(newest, now), _events(dispatcher.state)) if row is not None]
    passed = _has_passed(kept, package)
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


def _last(kept: Json | None, newest: Instance | None) -> Json | None:
    """The result that the dispatcher has stored, or that of a newer run whose result has not reached it."""
    if newest is None or newest.state == "running" or (kept and kept.get("run") == newest.id):
        return kept
    if kept and (times.seconds_between(newest.started, kept.get("at")) or 0.0) > 0:
        return kept
    if "checks" in newest.output:
        return {**newest.output, "at": newest.ended}
    message = f"it ended ({newest.state}) without a result"
    return {"run": newest.id, "ok": False, "checks": [CheckRow("selfcheck", False, message, _LOST_CURE).to_json()]}


def _stuck(newest: Instance | None, now: str | None) -> CheckRow | None:
    if newest is None or newest.state != "running" or not is_stuck(newest.started, now):
        return None
    waiting = ", ".join(str(name) for name in newest.progress.get(WAITING_FOR, ())) or "its first step"
    message = f"{newest.id} began at {newest.started}, has not ended within {STUCK_AFTER_S} s and waits for {waiting}"
    return CheckRow("selfcheck", False, message[:600], STUCK_CURE)


def _events(state: DispatcherState) -> CheckRow:
    events = state.events or EventsSeen()
    if not are_missing(state):
        seen = events.seen
        return CheckRow("events", True, f"the last event came at {seen}" if seen else "no event has come yet")
    vms = ", ".join(vm.rsplit("/", 1)[-1] for vm in events.vms)
    last = events.seen or "never"
    message = f"events do not arrive: since {events.since} the sweep alone found edits ({vms}); last event: {last}"
    return CheckRow("events", False, message[:600], EVENTS_CURE)
