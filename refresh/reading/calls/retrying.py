"""Retries one Azure call within a time budget.

Decides when a call is retried that found Azure unavailable, or the resource busy with another operation: after the
server's Retry-After, else after growing pauses. Does not know what the call does. The steps of a swap have a loop of
their own (`activities/swap/convergence.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from refresh.domain.azure.polls import RETRY
from refresh.gateways.errors import GatewayError, Refused, Unavailable

# Another operation is under way on the resource; the call may succeed when it has ended.
_IN_PROGRESS = frozenset({"Conflict", "OperationNotAllowed", "AttachDiskWhileBeingDetached", "PreconditionFailed"})


def is_in_progress(error: GatewayError) -> bool:
    """Whether `error` is a refusal because another operation is under way on the resource."""
    return isinstance(error, Refused) and error.code in _IN_PROGRESS


async def until[T](read: Callable[[], Awaitable[T | None]], *, budget_s: float) -> T | None:
    """The first result of `read` that is not None; None when there is none for `budget_s` seconds."""
    waited_s, pause_s = 0.0, RETRY.every_s
    while True:
        found = await read()
        if found is not None or waited_s >= budget_s:
            return found
        await asyncio.sleep(pause_s)
        waited_s += pause_s
        pause_s = RETRY.next_pause_s(pause_s)


async def retry_until_answered[T](call: Callable[[], Awaitable[T]], *, budget_s: float) -> T:
    """Call until Azure accepts, waiting at most `budget_s` seconds in all; then the last error is raised."""
    waited_s, pause_s = 0.0, RETRY.every_s
    while True:
        try:
            return await call()
        except (Unavailable, Refused) as error:
            if isinstance(error, Refused) and not is_in_progress(error):
                raise
            wait_s = pause_s if error.retry_after_s is None else max(error.retry_after_s, 0.1)
            if waited_s + wait_s > budget_s:
                raise
        await asyncio.sleep(wait_s)
        waited_s += wait_s
        pause_s = RETRY.next_pause_s(pause_s)
