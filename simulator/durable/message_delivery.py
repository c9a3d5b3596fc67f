"""Delivers messages between orchestrations, activities and entities at the time each is due.

Decides when a message arrives. Does not know its effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from zlib import crc32

from simulator.clock import Clock
from simulator.durable.records import Message, Operate, RunActivity


class MessageDelivery:
    """Delivers messages to `arrive`, at once or on the simulated clock."""

    def __init__(self, clock: Clock, arrive: Callable[[Message], None]) -> None:
        self._clock = clock
        self._arrive = arrive
        self._due: set[asyncio.TimerHandle] = set()

    def send(self, messages: Iterable[Message]) -> None:
        """Deliver each message now, or at its `at`. Operations on entities are delivered in a shuffled order.

        In Azure the messages of a turn or a batch are put into the queues in parallel, so they arrive in any order.
        Here the order is derived from their content: it differs from the order sent and is the same in every run.
        https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/AzureStorageOrchestrationService.cs
        """
        for message in _shuffled(list(messages)):
            at = None if isinstance(message, RunActivity) else message.at
            if at is None or at <= self._clock.now():
                self._arrive(message)
            else:
                self.later(self.seconds_until(at), partial(self._arrive, message))

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call `call` after `delay_s` simulated seconds, unless delivery is closed before."""

        def fire() -> None:
            self._due.discard(handle)
            call()

        handle = asyncio.get_running_loop().call_later(delay_s, fire)
        self._due.add(handle)

    def seconds_until(self, at: datetime) -> float:
        """Simulated seconds until `at`, at least 0."""
        return max(0.0, (at - self._clock.now()).total_seconds())

    def close(self) -> None:
        """Cancel all pending deliveries."""
        for handle in self._due:
            handle.cancel()
        self._due.clear()


def _shuffled(messages: list[Message]) -> Iterable[Message]:
    operations = [message for message in messages if isinstance(message, Operate)]
    if len(operations) < 2:
        return messages
    shuffled = iter(sorted(operations, key=_shuffle_key))
    return [next(shuffled) if isinstance(message, Operate) else message for message in messages]


def _shuffle_key(operation: Operate) -> int:
    content = f"{operation.entity_id}|{operation.operation}|{operation.input}"
    return crc32(content.encode("utf-8", "surrogatepass"))
