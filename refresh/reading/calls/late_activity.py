"""How late an activity may come: one whose worker died after it was done comes again, to a VM that has moved on.

Decides from when on it does nothing; an orchestration that still waits for it asks again. Does not know what the
activity would have done.
"""

from __future__ import annotations

from typing import Any

from refresh.domain.terms import times

# An activity runs at least once: its message is visible again a minute after the worker that took it renewed it last
# (`workItemQueueVisibilityTimeout` in host.json). Whatever comes sooner than that comes for the first time.
# https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json
LATE_AFTER_S = 45.0
SAID = "came too late: what was asked may not be wanted any more"


def is_late(asked_at: str | None, read_at: str | None, slept_s: float = 0.0) -> bool:
    """Whether what was asked at `asked_at` came too late, by ARM's time of a reading `slept_s` into the work."""
    return (times.seconds_between(asked_at, read_at) or 0.0) - slept_s > LATE_AFTER_S


def too_late() -> dict[str, Any]:
    """The answer of an activity that came too late and did nothing: `late` asks to be asked again."""
    return {"ok": False, "late": True, "message": SAID}
