"""The pace of reads, and reads of one resource that several callers share."""

from __future__ import annotations

import asyncio

from refresh.reading.calls.paced_reads import Pace, Reads, pace_of_decisions
from simulator.clock import Clock, run


def test_a_caller_that_stops_waiting_does_not_cancel_a_shared_read() -> None:
    """Of two callers that share a slow read, one stops waiting; the other still gets the result of one call."""
    calls = []

    async def slow() -> str:
        calls.append("read")
        await asyncio.sleep(20)
        return "answer"

    async def main(_: Clock) -> None:
        reads = Reads(Pace())

        async def hasty() -> str | None:
            async with asyncio.timeout(5):
                return await reads.once("key", slow)

        first, second = await asyncio.gather(hasty(), reads.once("KEY", slow), return_exceptions=True)
        assert isinstance(first, TimeoutError)
        assert (second, calls) == ("answer", ["read"])

    run(main, Clock("virtual"))


def test_reads_after_a_rest_are_quick_and_many_reads_keep_the_pace() -> None:
    """Twenty reads start at once, the following ones 0.1 s apart; a rest of a second allows ten more."""

    async def main(clock: Clock) -> None:
        starts: list[float] = []
        for number in range(50):
            # Each look has its own reads; the pace is the same.
            await Reads(pace_of_decisions()).read(lambda: _noted(starts, clock))
            if number == 39:
                await asyncio.sleep(1.0)
        assert round(starts[19], 3) == 0.0
        assert [round(at_s, 3) for at_s in starts[20:25]] == [0.1, 0.2, 0.3, 0.4, 0.5]
        assert round(starts[39], 3) == 2.0
        assert {round(at_s, 3) for at_s in starts[40:50]} == {3.0}

    run(main, Clock("virtual"))


async def _noted(starts: list[float], clock: Clock) -> None:
    starts.append(clock.time())
