"""A story whose histories are stored, and a worker whose activity fails once.

Decides what belongs to a story. Does not know the stories.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.durable import FunctionFailed, Worker
from tests.support.worlds.local_azure import LocalAzure

Story = Callable[[LocalAzure], Awaitable[None]]


@dataclass(frozen=True)
class RecordedStory:
    """A story, and its executions to store: `orchestration -> ((number from 0, name of the history), ...)`."""

    run: Story
    kept: Mapping[str, tuple[tuple[int, str], ...]]
    fleet: list[dict[str, Any]]
    settings: Mapping[str, str] = field(default_factory=dict)


class _FailingOnce:
    def __init__(self, worker: Worker, activity: str) -> None:
        self._worker = worker
        self.orchestrate, self.operate = worker.orchestrate, worker.operate
        self._fails_at: str | None = activity

    async def act(self, name: str, payload: str | None) -> str | None:
        """Run one activity, or fail the first time."""
        if name == self._fails_at:
            self._fails_at = None
            raise FunctionFailed("ImportError", "planned")
        return await self._worker.act(name, payload)


def failing_once(activity: str) -> Callable[[Worker], Worker]:
    """A worker whose `activity` raises the first time, as after a faulty deployment."""
    return lambda worker: _FailingOnce(worker, activity)
