"""What a story is whose histories are kept, and workers that go wrong while it is told.

Decides what belongs to a story. Refuses to know any of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.durable import FunctionFailed, Worker
from tests.support.worlds.local_azure import LocalAzure

Tale = Callable[[LocalAzure], Awaitable[None]]


@dataclass(frozen=True)
class Told:
    """A story and which of its executions are kept: `orchestration -> (which one, from 0, under what name)`."""

    tale: Tale
    kept: Mapping[str, tuple[tuple[int, str], ...]]
    fleet: list[dict[str, Any]]
    settings: Mapping[str, str] = field(default_factory=dict)


class _Clumsy:
    def __init__(self, worker: Worker, activity: str) -> None:
        self._worker = worker
        self.orchestrate, self.operate = worker.orchestrate, worker.operate
        self._fails_at: str | None = activity

    async def act(self, name: str, payload: str | None) -> str | None:
        """Run one activity, or fail."""
        if name == self._fails_at:
            self._fails_at = None
            raise FunctionFailed("ImportError", "planned")
        return await self._worker.act(name, payload)


def clumsy(activity: str) -> Callable[[Worker], Worker]:
    """A worker whose `activity` raises the first time, as after a faulty deployment."""
    return lambda worker: _Clumsy(worker, activity)
