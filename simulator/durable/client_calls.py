"""The gRPC calls of durable clients in this process, made visible to a virtual clock.

Decides when a call is under way: from its first byte until its answer is here. Does not know what is called. A call
runs in threads of gRPC's own, so a loop with nothing else to do would take it for idle time and jump.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from simulator.clock import Clock

# Says to the server that this call holds the clock, and that a wait on its side has to release it.
HOLDS_CLOCK = "x-holds-clock"


class _Held(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        with self._clock.hold():
            metadata = grpc.aio.Metadata(*(details.metadata or ()), (HOLDS_CLOCK, "1"))
            call = await continuation(details._replace(metadata=metadata), request)
            await call.code()  # also where the call fails: its caller gets the failure from the call itself
            return call


@contextmanager
def seen_by(clock: Clock) -> Iterator[None]:
    """Let every channel that is opened meanwhile hold `clock` during its calls; no-op for a real clock.

    The Durable library opens its channels itself and takes no interceptors, so the function that opens them is wrapped.
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
