"""Detects an activity that runs too late: when its worker died after the work, it runs again, and the VM has changed.

Decides from when on an activity does nothing; an orchestration that still waits for it calls it again. Does not know
what the activity would have done.
"""

from __future__ import annotations

from typing import Any

from refresh.domain.terms import times

# An activity runs at least once: its message becomes visible again a minute after the worker last renewed it
# (`workItemQueueVisibilityTimeout` in host.json). An activity that runs sooner than that runs for the first time.
# https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json
LATE_AFTER_S = 45.0
TOO_LATE = "the activity ran too late and did nothing: the request may be out of date"


def is_late(asked_at: str | None, read_at: str | None, slept_s: float = 0.0) -> bool:
    """Whether a request of `asked_at` is too late, by ARM's time of a read made `slept_s` seconds into the activity."""
    return (times.seconds_between(asked_at, read_at) or 0.0) - slept_s > LATE_AFTER_S


def too_late() -> dict[str, Any]:
    """The result of an activity that ran too late and did nothing; with `late` it is called again."""
    return {"ok": False, "late": True, "message": TOO_LATE}
