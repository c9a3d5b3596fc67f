"""The clock of the whole simulator: ARM, the durable hub, timers, Event Grid and the app's event loop.

Decides what "now" is and how fast time passes. Does not know what the waits are for: an event loop made here has
`time()` in simulated seconds, so a plain `asyncio.sleep(5)` takes five simulated seconds on it.

There are two kinds. The *real* clock runs `speed` times as fast as the machine's. The *virtual* clock stands still
while anything can run and jumps to the next deadline when nothing can; everything it times must be in one process. A
run on a virtual clock does not depend on the machine's speed: it starts at a fixed date, waits until work outside the
loop has ended, and runs the threads of an executor one at a time.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, override

ClockKind = Literal["real", "virtual"]

# The start of a virtual clock. It is fixed because a run that starts at the machine's date would differ every day.
_VIRTUAL_START = datetime(2026, 11, 21, 12, tzinfo=UTC)

_NEEDS_LOOP: ContextVar[bool] = ContextVar("needs_loop", default=False)


class Clock:
    """Simulated time. `time()` is seconds since the start, `now()` the same instant as a UTC date."""

    def __init__(
        self, kind: ClockKind = "real", speed: float = 1.0, start: datetime | None = None, *, stuck_s: float = 600.0
    ) -> None:
        """Make a clock of `kind`; `speed` is simulated seconds per real second (a virtual clock has none).

        Without a `start` a real clock starts now and a virtual one always at the same date. Work outside the loop that
        has not ended after `stuck_s` real seconds is an error: it probably waits for the virtual clock, which waits
        for it.
        """
        if not speed > 0:
            raise ValueError(f"speed must be greater than 0, not {speed}")
        self.kind: ClockKind = kind
        self.speed = speed
        self.stuck_s = stuck_s
        self._start = start or (_VIRTUAL_START if kind == "virtual" else datetime.now(UTC))
        self._machine_start = time.monotonic()
        self._skipped_s = 0.0
        self._holds = 0

    def time(self) -> float:
        """Simulated seconds since the start."""
        if self.kind == "virtual":
            return self._skipped_s
        return (time.monotonic() - self._machine_start) * self.speed + self._skipped_s

    def now(self) -> datetime:
        """The simulated date and time, UTC."""
        return self._start + timedelta(seconds=self.time())

    def advance(self, seconds: float) -> None:
        """Move simulated time forward by `seconds`. Timers due by then fire in the loop's next iteration."""
        if seconds < 0:
            raise ValueError("the clock cannot be moved back")
        self._skipped_s += seconds

    @staticmethod
    def wall() -> float:
        """Real epoch seconds: only for token expiry, which clients compare with their own clock."""
        return time.time()

    @staticmethod
    def stopwatch() -> float:
        """Real monotonic seconds: for budgets of a command on this machine and for benchmarks."""
        return time.monotonic()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Stop a virtual clock inside the block, while work outside the loop (a gRPC call) is under way."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1

    @contextmanager
    def release(self) -> Iterator[None]:
        """Release a virtual clock inside the block, while work that holds it waits for simulated time."""
        self._holds -= 1
        try:
            yield
        finally:
            self._holds += 1

    @property
    def held(self) -> bool:
        """Whether work outside the loop is under way."""
        return self._holds > 0


@contextmanager
def needing_the_loop() -> Iterator[None]:
    """Mark threads started inside the block: they need the loop to run, as a blocking client of a server on it does."""
    token = _NEEDS_LOOP.set(True)
    try:
        yield
    finally:
        _NEEDS_LOOP.reset(token)


class _ClockSelector(selectors.BaseSelector):
    """A selector whose timeouts are simulated seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._real = selectors.DefaultSelector()
        self.threads_at_work = 0

    @override
    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    @override
    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    @override
    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    @override
    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    @override
    def close(self) -> None:
        self._real.close()

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return self._real.select(timeout)
        if self._clock.kind == "real":
            return self._real.select(timeout / self._clock.speed)
        return self._real.select(0) or self._wait_for_foreign_work() or self._jump(timeout)

    def _wait_for_foreign_work(self) -> list[tuple[selectors.SelectorKey, int]]:
        if self.threads_at_work:
            return self._real.select(None)  # a finished thread wakes the loop through its self-pipe
        if not self._clock.held:
            return []
        ready = self._real.select(self._clock.stuck_s)
        if not ready:
            raise RuntimeError(f"work that holds the clock has not ended within {self._clock.stuck_s:g} real seconds")
        return ready

    def _jump(self, timeout: float) -> list[tuple[selectors.SelectorKey, int]]:
        self._clock.advance(timeout)
        return []


class ClockLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated time; `loop.clock` is its clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._clock_selector = _ClockSelector(clock)
        super().__init__(self._clock_selector)

    @override
    def time(self) -> float:
        return self.clock.time()

    @override
    def run_in_executor[T, *Ts](
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        # Blocks until a thread that does not need the loop has ended: two at once could end in either order.
        if executor is not None and self.clock.kind == "virtual" and not _NEEDS_LOOP.get():
            work = executor.submit(func, *args)
            if wait([work], self.clock.stuck_s).not_done:
                raise RuntimeError(f"a thread has not ended within {self.clock.stuck_s:g} real s: it may need the loop")
            return asyncio.wrap_future(work, loop=self)
        future = super().run_in_executor(executor, func, *args)
        self._clock_selector.threads_at_work += 1
        future.add_done_callback(self._thread_done)
        return future

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        self._clock_selector.threads_at_work += 1
        try:
            await super().shutdown_default_executor(timeout)
        finally:
            self._clock_selector.threads_at_work -= 1

    def _thread_done(self, _: object) -> None:
        self._clock_selector.threads_at_work -= 1


def run[T](main: Callable[[Clock], Coroutine[Any, Any, T]], clock: Clock) -> T:
    """Run `main(clock)` on a new loop in that clock's time and return its result."""
    with asyncio.Runner(loop_factory=lambda: ClockLoop(clock)) as runner:
        return runner.run(main(clock))
