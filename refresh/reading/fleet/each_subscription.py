"""Reads every subscription by itself: one that is refused, broken or hanging delays none of the others.

Decides how many are read at once, and how long each may take. Does not know what is read, and what an unread
subscription means to the caller.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from refresh.domain.azure.polls import LIST_BUDGET_S, LIST_LIMIT_S
from refresh.gateways.errors import GatewayError, Unavailable
from refresh.reading.calls.retrying import retry_until_answered

_log = logging.getLogger(__name__)

# ARM counts reads for each subscription, so subscriptions do not use each other's quota:
# https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
SUBSCRIPTIONS_AT_ONCE = 16


@dataclass(frozen=True)
class Parts[T]:
    """What was read, and why the rest was not; both by lower-case subscription, in the order of the subscriptions."""

    read: Mapping[str, T]
    unread: Mapping[str, GatewayError]


async def read_each[T](subscriptions: Iterable[str], read: Callable[[str], Awaitable[T]]) -> Parts[T]:
    """`read` each subscription, several at once. An error leaves out only the subscription that it is about."""
    at_once = asyncio.Semaphore(SUBSCRIPTIONS_AT_ONCE)
    wanted = list(dict.fromkeys(one.lower() for one in subscriptions))

    async def alone(subscription: str) -> T | GatewayError:
        async with at_once:
            try:
                return await read(subscription)
            except GatewayError as error:
                return error
            except Exception as error:
                # An answer that the app cannot handle must not stop the other subscriptions; the log has the trace.
                _log.exception("unexpected error while reading subscription %s", subscription)
                return GatewayError("UnexpectedError", f"unexpected {type(error).__name__}; see the log")

    async with asyncio.TaskGroup() as group:
        tasks = {one: group.create_task(alone(one)) for one in wanted}
    found: dict[str, T] = {}
    unread: dict[str, GatewayError] = {}
    for subscription, task in tasks.items():
        answer = task.result()
        if isinstance(answer, GatewayError):
            unread[subscription] = answer
        else:
            found[subscription] = answer
    return Parts(found, unread)


async def read_within[T](
    call: Callable[[], Awaitable[T]], *, budget_s: float = LIST_BUDGET_S, limit_s: float = LIST_LIMIT_S
) -> T:
    """`retry_until_answered` that takes at most `limit_s` seconds, calls included. Unavailable after that."""
    try:
        async with asyncio.timeout(limit_s):
            return await retry_until_answered(call, budget_s=budget_s)
    except TimeoutError:
        raise Unavailable("ReadTimedOut", f"Azure did not complete the answer within {limit_s:.0f} seconds") from None


def about(subscription: str, error: GatewayError) -> GatewayError:
    """The same error with the subscription in its message."""
    message = f"subscription {subscription}: {error.message}"
    return type(error)(error.code, message, status=error.status, retry_after_s=error.retry_after_s)


def raise_if_none[T](parts: Parts[T]) -> Parts[T]:
    """The same parts. GatewayError, the first, when there are subscriptions and none could be read."""
    if parts.unread and not parts.read:
        subscription, error = next(iter(parts.unread.items()))
        raise about(subscription, error)
    return parts
