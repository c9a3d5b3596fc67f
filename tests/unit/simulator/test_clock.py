"""Runs on the virtual clock do not depend on the machine's speed."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator.clock import Clock, needing_the_loop, run


def test_a_virtual_clock_starts_at_the_same_date_every_day() -> None:
    """A start at the machine's date would make every day's run different."""
    assert Clock("virtual").now() == Clock("virtual").now()


def test_a_held_clock_stands_still_however_long_the_work_takes() -> None:
    """The clock does not jump to the next timer while slow work outside the loop holds it."""

    async def main(clock: Clock) -> float:
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(1, done.set)
        reported = asyncio.Event()
        work = threading.Timer(0.3, asyncio.get_running_loop().call_soon_threadsafe, (reported.set,))
        with clock.hold():
            work.start()
            await reported.wait()
            return clock.time()

    assert run(main, Clock("virtual")) == 0


def test_time_passes_while_held_work_waits_for_it() -> None:
    """Work that holds the clock releases it to wait for simulated time."""

    async def main(clock: Clock) -> float:
        with clock.hold():
            with clock.release():
                await asyncio.sleep(100)
            return clock.time()

    assert run(main, Clock("virtual")) == 100


def test_the_threads_of_an_executor_end_in_the_order_they_began() -> None:
    """A long computation that started first ends first; on a real clock the short one would overtake it."""

    async def main(_: Clock) -> list[str]:
        ended: list[str] = []

        def count(size: int) -> None:
            for _ in range(size):  # in Python, so that the other thread can run too
                pass

        async def compute(name: str, size: int) -> None:
            await asyncio.get_running_loop().run_in_executor(executor, count, size)
            ended.append(name)

        with ThreadPoolExecutor(2) as executor:
            await asyncio.gather(compute("long", 20_000_000), compute("short", 1))
        return ended

    assert run(main, Clock("virtual")) == ["long", "short"]


def test_a_thread_marked_as_needing_the_loop_can_use_it() -> None:
    """A blocking client of a server on the loop runs in a thread while the loop continues."""

    async def main(_: Clock) -> bool:
        loop, reached = asyncio.get_running_loop(), threading.Event()

        def wait_for_loop() -> bool:
            loop.call_soon_threadsafe(reached.set)
            return reached.wait(30)

        with ThreadPoolExecutor(1) as executor, needing_the_loop():
            return await loop.run_in_executor(executor, wait_for_loop)

    assert run(main, Clock("virtual"))


def test_work_that_waits_for_the_clock_while_it_holds_it_is_an_error() -> None:
    """The clock would stand still forever; an error is raised instead."""

    async def main(clock: Clock) -> None:
        with clock.hold():
            await asyncio.sleep(1)

    with pytest.raises(RuntimeError, match="holds the clock"):
        run(main, Clock("virtual", stuck_s=0.1))


def test_an_unmarked_thread_that_needs_the_loop_is_an_error() -> None:
    """Loop and thread would wait for each other; an error is raised instead."""

    async def main(_: Clock) -> None:
        loop, reached = asyncio.get_running_loop(), threading.Event()
        loop.call_soon(reached.set)
        with ThreadPoolExecutor(1) as executor:
            try:
                await loop.run_in_executor(executor, reached.wait)
            finally:
                reached.set()

    with pytest.raises(RuntimeError, match="may need the loop"):
        run(main, Clock("virtual", stuck_s=0.1))
