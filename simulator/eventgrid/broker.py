"""Makes events of writes on ARM and passes them to subscriptions.

Decides which subscription gets which event, and keeps a log of all events. Leaves HTTP to `delivery`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from simulator.arm.core.write_events import WriteEvent
from simulator.clock import Clock
from simulator.eventgrid.chaos import Chaos, ChaosDraws
from simulator.eventgrid.delivery import DeadLetter, Subscription
from simulator.eventgrid.filters import DEFAULT, Filters
from simulator.eventgrid.schema import event_of


class EventGrid:
    """The system topics of all subscriptions of the simulated tenant."""

    def __init__(self, clock: Clock, chaos: Chaos | None = None, *, tenant_id: str = "") -> None:
        """Deliver on `clock`; `chaos` sets the faults of delivery (default: none)."""
        self._clock = clock
        self._tenant_id = tenant_id
        self._draws = ChaosDraws(chaos or Chaos())
        self._subscriptions: dict[str, Subscription] = {}
        self._log: dict[str, dict[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def on_write(self, write: WriteEvent) -> None:
        """Make the event of `write`, log it and send it to every matching subscription. Needs a running loop."""
        event = event_of(write, self._tenant_id)
        event["subject"] = self._draws.recased(event["subject"])
        self._log[event["id"]] = {
            "id": event["id"],
            "t": write.at.isoformat(),
            "subject": event["subject"],
            "eventType": event["eventType"],
            "operationName": event["data"]["operationName"],
            "deliveries": [],
        }
        for subscription in self._subscriptions.values():
            if subscription.filters.match(event):
                for wait_s in self._draws.delays_s():
                    self._send(subscription, event, wait_s)

    async def subscribe(self, endpoint_url: str, *, filters: Filters = DEFAULT) -> None:
        """Send events that pass `filters` to `endpoint_url` from now on, after the validation handshake.

        Subscribing an endpoint again replaces its filters. RuntimeError with the reason if the handshake fails.
        """
        subscription = Subscription(self._clock, endpoint_url, filters, self._note)
        try:
            await subscription.validate()
        except BaseException:
            await subscription.close()
            raise
        replaced = self._subscriptions.get(endpoint_url)
        if replaced is None:
            self._subscriptions[endpoint_url] = subscription
        else:
            replaced.filters = filters
            await subscription.close()

    def log(self) -> list[dict[str, Any]]:
        """Every event since the start or the last `clear`, oldest first, with each attempt to deliver it.

        A delivery's status is the HTTP status, None when the endpoint gave no answer.
        """
        return [{**entry, "deliveries": list(entry["deliveries"])} for entry in self._log.values()]

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """The events that were given up, per subscription in order."""
        return [letter for subscription in self._subscriptions.values() for letter in subscription.dead_letters]

    async def clear(self) -> None:
        """Drop all events, including those under way. Subscriptions stay."""
        await self._cancel()
        self._log.clear()
        for subscription in self._subscriptions.values():
            subscription.dead_letters.clear()

    async def close(self) -> None:
        """Stop delivering and drop all subscriptions."""
        await self._cancel()
        for subscription in self._subscriptions.values():
            await subscription.close()
        self._subscriptions.clear()

    def _send(self, subscription: Subscription, event: dict[str, Any], wait_s: float) -> None:
        task = asyncio.get_running_loop().create_task(subscription.deliver(event, wait_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cancel(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _note(self, event_id: str, status: int | None) -> None:
        entry = self._log.get(event_id)
        if entry is not None:
            entry["deliveries"].append({"t": self._clock.now().isoformat(), "status": status})
