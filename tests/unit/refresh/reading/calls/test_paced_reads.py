"""Reads of one resource that several callers share."""

from __future__ import annotations

import asyncio

from refresh.reading.calls.paced_reads import Pace, Reads
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
