"""Makes the gRPC calls of durable clients in this process hold a virtual clock.

Decides when a call is under way: from its first byte to its answer. Does not know which method is called. A call runs
in gRPC's own threads, so without the hold an otherwise idle event loop would jump to the next deadline.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from simulator.clock import Clock

# Metadata key of a call that holds the clock: the server releases the clock while it waits.
HOLDS_CLOCK = "x-holds-clock"


class _Held(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        with self._clock.hold():
            metadata = grpc.aio.Metadata(*(details.metadata or ()), (HOLDS_CLOCK, "1"))
            call = await continuation(details._replace(metadata=metadata), request)
            await call.code()  # returns for a failed call too: the caller gets the failure from the call itself
            return call


@contextmanager
def calls_hold(clock: Clock) -> Iterator[None]:
    """Make every channel opened inside the block hold `clock` during its calls; a real clock needs nothing.

    The Durable library opens its channels itself and accepts no interceptors, so the function that opens them is
    wrapped.
    """
    if clock.kind == "real":
        yield
        return
    plain = grpc.aio.insecure_channel

    def insecure_channel(
        target: str, options: Any = None, compression: Any = None, interceptors: Any = None
    ) -> grpc.aio.Channel:
        return plain(target, options, compression, [*(interceptors or ()), _Held(clock)])

    grpc.aio.insecure_channel = insecure_channel
    try:
        yield
    finally:
        grpc.aio.insecure_channel = plain
