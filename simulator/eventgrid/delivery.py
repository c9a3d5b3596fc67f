"""Gets events to one webhook: the handshake, the posts, the retries, the dead letters.

This room decides when a delivery counts, when it is tried again and when it is given up. It refuses to know why there
is an event. https://learn.microsoft.com/azure/event-grid/delivery-and-retry
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from simulator.clock import Clock
from simulator.eventgrid.filters import Filters
from simulator.eventgrid.schema import validation_event

ANSWER_WITHIN_S = 30.0
LIFETIME_S = 24 * 3600.0
MOST_ATTEMPTS = 30
PARALLEL_POSTS = 16
_RETRIES_S = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 10800.0, 21600.0)
_THEN_EVERY_S = 12 * 3600.0
_DELIVERED = frozenset({200, 201, 202, 203, 204})
_NEVER_RETRIED = frozenset({400, 401, 413})

Note = Callable[[str, int | None], None]


@dataclass(frozen=True)
class DeadLetter:
    """An event given up: `status` is the last HTTP status, None when no answer came."""

    event: dict[str, Any]
    reason: str
    attempts: int
    status: int | None


def retry_after_s(failures: int) -> float:
    """Seconds from the `failures`-th failed attempt (counted from 1) to the next one."""
    return _RETRIES_S[failures - 1] if failures <= len(_RETRIES_S) else _THEN_EVERY_S


class Subscription:
    """One webhook and what it wants. Every event is a post and a retry series of its own, so none waits for another."""

    def __init__(self, clock: Clock, endpoint_url: str, filters: Filters, note: Note) -> None:
        """`note(event id, status)` is told of every attempt."""
        self.endpoint_url = endpoint_url
        self.filters = filters
        self.dead_letters: list[DeadLetter] = []
        self._clock = clock
        self._note = note
        self._posts = asyncio.Semaphore(PARALLEL_POSTS)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S))

    async def validate(self) -> None:
        """Shake hands: post a code, expect it back. RuntimeError with the reason when it does not come back."""
        code = str(uuid.uuid4()).upper()
        event = validation_event(code, self._clock.now())
        try:
            async with self._session.post(self.endpoint_url, **_post([event], "SubscriptionValidation", 0)) as response:
                status, text = response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RuntimeError(f"Webhook validation handshake failed for {self.endpoint_url}: {error!r}") from error
        if status != 200 or _echoed(text) != code:
            raise RuntimeError(
                f"Webhook validation handshake failed for {self.endpoint_url}: expected 200 with the code as "
                f"validationResponse, got {status} {text[:200]!r}"
            )

    async def deliver(self, event: dict[str, Any], wait_s: float) -> None:
        """Deliver `event` after `wait_s`: try until it is taken, refused for good, too old or tried too often."""
        await asyncio.sleep(wait_s)
        dies_at = self._clock.time() + LIFETIME_S
        attempt = 0
        while True:
            attempt += 1
            status = await self._attempt(event, attempt)
            self._note(event["id"], status)
            if status in _DELIVERED:
                return
            pause_s = retry_after_s(attempt)
            reason = _final_reason(status, attempt, self._clock.time() + pause_s > dies_at)
            if reason:
                self.dead_letters.append(DeadLetter(event, reason, attempt, status))
                return
            await asyncio.sleep(pause_s)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()

    async def _attempt(self, event: dict[str, Any], attempt: int) -> int | None:
        try:
            async with (
                self._posts,
                self._session.post(self.endpoint_url, **_post([event], "Notification", attempt - 1)) as response,
            ):
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None


def _final_reason(status: int | None, attempts: int, too_old: bool) -> str | None:
    if status in _NEVER_RETRIED:
        return "NonRetryableStatus"
    if attempts >= MOST_ATTEMPTS:
        return "MaxDeliveryAttemptsExceeded"
    return "TimeToLiveExceeded" if too_old else None


def _post(events: list[dict[str, Any]], kind: str, failures: int) -> dict[str, Any]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "aeg-event-type": kind,
        "aeg-subscription-name": "AZURE-VM-REFRESH",
        "aeg-delivery-count": str(failures),
        "aeg-data-version": "2",
        "aeg-metadata-version": "1",
    }
    return {"data": json.dumps(events).encode(), "headers": headers}


def _echoed(text: str) -> Any:
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer.get("validationResponse") if isinstance(answer, dict) else None
