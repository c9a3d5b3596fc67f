"""A first-in first-out queue of work with a limit on how much of it runs at once.

Decides order and concurrency. Does not know what the work is. A handler that is cancelled because the queue closes must
put its work back itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any


class LimitedQueue[Work]:
    """Passes work to `handle` in the order it came, at most `limit` pieces at once, while it is open."""

    def __init__(self, limit: int, handle: Callable[[Work], Coroutine[Any, Any, None]]) -> None:
        if limit < 1:
            raise ValueError(f"the limit must be at least 1, not {limit}")
        self.limit = limit
        self._handle = handle
        self._waiting: deque[Work] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._not_begun: dict[asyncio.Task[None], Work] = {}
        self._open = False

    def put(self, work: Work) -> None:
        """Queue work. It starts now if the limit allows."""
        self._waiting.append(work)
        self._start_waiting()

    def open(self) -> None:
        """Start to pass work to the handler."""
        self._open = True
        self._start_waiting()

    def clear(self) -> None:
        """Drop the queued work."""
        self._waiting.clear()

    async def close(self) -> None:
        """Start no more work and cancel running work. Queued work stays queued."""
        self._open = False
        # A task cancelled before its first step never runs, so its handler cannot put the work back: that is done here.
        self._waiting.extendleft(reversed(self._not_begun.values()))
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _start_waiting(self) -> None:
        while self._open and self._waiting and len(self._running) < self.limit:
            work = self._waiting.popleft()
            task = asyncio.get_running_loop().create_task(self._run(work))
            self._running.add(task)
            self._not_begun[task] = work
            task.add_done_callback(self._done)

    async def _run(self, work: Work) -> None:
        task = asyncio.current_task()
        assert task is not None
        del self._not_begun[task]
        await self._handle(work)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._not_begun.pop(task, None)
        if not task.cancelled() and (fault := task.exception()) is not None:
            # A bug in the hub, not in the app: without this report it would go unnoticed.
            asyncio.get_running_loop().call_exception_handler({"message": "durable hub", "exception": fault})
        self._start_waiting()
