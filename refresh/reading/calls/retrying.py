"""How the app waits for Azure to answer one call at all.

Decides when a call that found Azure unavailable, or busy with another operation on the same resource, is tried again:
after the server's own Retry-After, else after growing pauses, within a budget. Refuses to know what the call does.
Long-running operations are `convergence`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from refresh.gateways.errors import GatewayError, Refused, Unavailable

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
TAG_WRITE_BUDGET_S = 60.0
# Another operation is under way on the resource; Azure ends it, and then ours may begin.
_IN_PROGRESS = frozenset({"Conflict", "OperationNotAllowed", "AttachDiskWhileBeingDetached", "PreconditionFailed"})


def is_in_progress(error: GatewayError) -> bool:
    """Whether `error` is Azure's no for as long as another operation is under way."""
    return isinstance(error, Refused) and error.code in _IN_PROGRESS


async def until[T](read: Callable[[], Awaitable[T | None]], *, budget_s: float) -> T | None:
    """What `read` gives as soon as that is something; None when it is nothing for `budget_s` seconds."""
    waited_s, pause_s = 0.0, FIRST_PAUSE_S
    while True:
        found = await read()
        if found is not None or waited_s >= budget_s:
            return found
        await asyncio.sleep(pause_s)
        waited_s += pause_s
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def retry_until_answered[T](call: Callable[[], Awaitable[T]], *, budget_s: float) -> T:
    """Call until Azure does it, waiting at most `budget_s` seconds in all; then its last answer is raised."""
    waited_s, pause_s = 0.0, FIRST_PAUSE_S
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
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
