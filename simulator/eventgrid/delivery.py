"""Delivers events to one webhook: the handshake, the requests, the retries, the dead letters.

Decides which events share a request, when a delivery succeeded, when it is retried and when it is given up. Does not
know what an event is about. https://learn.microsoft.com/azure/event-grid/delivery-and-retry
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import aiohttp

from simulator.clock import Clock
from simulator.eventgrid.filters import Filters
from simulator.eventgrid.schema import validation_event

RESPONSE_TIMEOUT_S = 30.0
LIFETIME_S = 24 * 3600.0
MAX_ATTEMPTS = 30
# As many as the deployed app accepts at one time in one instance (`perInstanceConcurrency`). Event Grid names no number
# and adjusts its rate to the function: https://learn.microsoft.com/azure/event-grid/handler-functions
MAX_PARALLEL_REQUESTS = 100
# The batches of the deployed subscription. Event Grid delays no event to fill one, and the answer is that of all its
# events: https://learn.microsoft.com/azure/event-grid/delivery-and-retry#output-batching
MAX_EVENTS_PER_BATCH, PREFERRED_BATCH_BYTES = 100, 64 * 1024
_RETRIES_S = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 10800.0, 21600.0)
_THEN_EVERY_S = 12 * 3600.0
_DELIVERED = frozenset({200, 201, 202, 203, 204})
_NEVER_RETRIED = frozenset({400, 401, 413})

Note = Callable[[str, int | None], None]


@dataclass(frozen=True)
class DeadLetter:
    """An event that was given up; `status` is the last HTTP status, None when there was no answer."""

    event: dict[str, Any]
    reason: str
    attempts: int
    status: int | None


@dataclass(eq=False)
class _Attempt:
    """An event that waits for a request, how many attempts of it failed, and the status of this one."""

    event: dict[str, Any]
    failures: int
    bytes: int
    status: asyncio.Future[int | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


def retry_after_s(failures: int) -> float:
    """Seconds from the `failures`-th failed attempt (counted from 1) to the next one."""
    return _RETRIES_S[failures - 1] if failures <= len(_RETRIES_S) else _THEN_EVERY_S


class Subscription:
    """One webhook and its filters. Every event has its own retries; events that wait share the next free request."""

    def __init__(self, clock: Clock, endpoint_url: str, filters: Filters, note: Note) -> None:
        """`note(event id, status)` is called after every attempt."""
        self.endpoint_url = endpoint_url
        self.filters = filters
        self.dead_letters: list[DeadLetter] = []
        self._clock = clock
        self._note = note
        self._requests = asyncio.Semaphore(MAX_PARALLEL_REQUESTS)
        self._waiting: dict[_Attempt, None] = {}
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=RESPONSE_TIMEOUT_S))

    async def validate(self) -> None:
        """Send a code to the webhook and expect it back. RuntimeError with the reason if it does not come back."""
        code = str(uuid.uuid4()).upper()
        request = _request([validation_event(code, self._clock.now())], "SubscriptionValidation", 0)
        try:
            async with self._session.post(self.endpoint_url, **request) as response:
                status, text = response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RuntimeError(f"Webhook validation handshake failed for {self.endpoint_url}: {error!r}") from error
        if status != 200 or _echoed(text) != code:
            raise RuntimeError(
                f"Webhook validation handshake failed for {self.endpoint_url}: expected 200 with the code as "
                f"validationResponse, got {status} {text[:200]!r}"
            )

    async def deliver(self, event: dict[str, Any], wait_s: float) -> None:
        """Deliver `event` after `wait_s`: retry until it is accepted, finally refused, too old or tried too often."""
        await asyncio.sleep(wait_s)
        expires_at = self._clock.time() + LIFETIME_S
        attempt = 0
        while True:
            attempt += 1
            status = await self._attempt(event, attempt)
            self._note(event["id"], status)
            if status in _DELIVERED:
                return
            pause_s = retry_after_s(attempt)
            reason = _final_reason(status, attempt, self._clock.time() + pause_s > expires_at)
            if reason:
                self.dead_letters.append(DeadLetter(event, reason, attempt, status))
                return
            await asyncio.sleep(pause_s)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _attempt(self, event: dict[str, Any], attempt: int) -> int | None:
        own = _Attempt(event, attempt - 1, len(json.dumps(event)))
        self._waiting[own] = None
        try:
            async with self._requests:
                await asyncio.sleep(0)  # events of the same moment are in the same batch
                if own in self._waiting:
                    await self._send(self._take_batch(own))
            return await own.status
        finally:
            self._waiting.pop(own, None)

    def _take_batch(self, first: _Attempt) -> list[_Attempt]:
        batch: list[_Attempt] = []
        size = 0
        for each in islice((first, *(one for one in self._waiting if one is not first)), MAX_EVENTS_PER_BATCH):
            size += each.bytes
            if batch and size > PREFERRED_BATCH_BYTES:
                break
            batch.append(each)
        for each in batch:
            del self._waiting[each]
        return batch

    async def _send(self, batch: list[_Attempt]) -> None:
        status: int | None = None
        try:
            failures = max(each.failures for each in batch)
            request = _request([each.event for each in batch], "Notification", failures)
            async with self._session.post(self.endpoint_url, **request) as response:
                await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            pass
        finally:
            for each in batch:
                if not each.status.done():
                    each.status.set_result(status)


def _final_reason(status: int | None, attempts: int, too_old: bool) -> str | None:
    if status in _NEVER_RETRIED:
        return "NonRetryableStatus"
    if attempts >= MAX_ATTEMPTS:
        return "MaxDeliveryAttemptsExceeded"
    return "TimeToLiveExceeded" if too_old else None


def _request(events: list[dict[str, Any]], kind: str, failures: int) -> dict[str, Any]:
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
