"""A first-in first-out queue of work with a limit on how much of it runs at once.

Decides order and concurrency. Refuses to know what the work is; a handler that is cancelled because the lane closes
has to put its work back itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any


class Lane[Work]:
    """Hands work to `handle` in the order it came, at most `limit` at once, while it is open."""

    def __init__(self, limit: int, handle: Callable[[Work], Coroutine[Any, Any, None]]) -> None:
        if limit < 1:
            raise ValueError(f"a limit of {limit} would hand out nothing")
        self.limit = limit
        self._handle = handle
        self._queue: deque[Work] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._not_begun: dict[asyncio.Task[None], Work] = {}
        self._open = False

    def put(self, work: Work) -> None:
        """Queue work; it begins now if there is room."""
        self._queue.append(work)
        self._fill()

    def open(self) -> None:
        """Begin to hand out work."""
        self._open = True
        self._fill()

    def clear(self) -> None:
        """Forget what is queued."""
        self._queue.clear()

    async def close(self) -> None:
        """Hand out nothing more and cancel what runs; what is queued stays queued."""
        self._open = False
        # A task that is cancelled before its first step never runs at all: its handler could not put the work back.
        self._queue.extendleft(reversed(self._not_begun.values()))
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _fill(self) -> None:
        while self._open and self._queue and len(self._running) < self.limit:
            work = self._queue.popleft()
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
            # A fault of the hub itself, not of the app: nothing else would ever show it.
            asyncio.get_running_loop().call_exception_handler({"message": "durable hub", "exception": fault})
        self._fill()
