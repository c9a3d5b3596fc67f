"""The cancellation of a run, which comes as an event: what has not begun does not begin.

Decides how a run notices it. Waiting for an event adds nothing to a history, so earlier runs replay as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durabletask.task import OrchestrationContext, Task

from refresh.records.month import CANCEL_EVENT, CANCELLED


class Cancellation:
    """Whether this run was cancelled. `written` are the tags that it wrote, by lower-case VM id, for its next step."""

    def __init__(self, ctx: OrchestrationContext, before: Mapping[str, Any] | None = None) -> None:
        """Wait for the event; with `before` the run was cancelled before it began."""
        self.task: Task[Any] = ctx.wait_for_external_event(CANCEL_EVENT)
        self._before = before
        self.written: dict[str, Any] = {}

    def is_asked(self) -> bool:
        """Whether the run was cancelled."""
        return self._before is not None or self.task.is_complete

    @property
    def data(self) -> dict[str, Any]:
        """What came with the cancellation."""
        found = self._before if self._before is not None else self.task.get_result()
        return dict(found) if isinstance(found, Mapping) else {}

    def closed(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result of the run: `cancelled`, and by whom, where it was cancelled."""
        if not self.is_asked():
            return result
        message = f"cancelled by {self.data.get('by') or 'unknown'}"
        return {**result, "status": CANCELLED, "message": message}
