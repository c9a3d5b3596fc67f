"""ARM's clock, the only one that the app uses for decisions.

Decides which cheap read gives the time, and that the Date header of any other answer does when that read fails or has
no answer. Does not use this machine's clock.
"""

from __future__ import annotations

import asyncio
import logging

from refresh.arm import rest
from refresh.arm.bodies import http_date
from refresh.arm.clients import Clients
from refresh.gateways.errors import GatewayError, Refused
from refresh.gateways.gateways import Graph

_log = logging.getLogger(__name__)

_API_VERSION = "2022-12-01"
# Each can take as long as a request is waited for.
_TRIED = 3
# Usually ARM answers within a second. What waits for the time must not wait for one subscription that does not answer.
_PATIENCE_S = 3.0


class ArmClock:
    """`gateways.ArmClock` on the Date header of one GET of a subscription.

    A refusal has ARM's Date as well, and so has every answer to another request that arrives meanwhile.
    https://learn.microsoft.com/rest/api/resources/subscriptions/get
    """

    def __init__(self, clients: Clients, graph: Graph) -> None:
        """Read, through `clients`, a subscription in scope by `graph`."""
        self._clients = clients
        self._graph = graph
        self._subscription: str | None = None

    async def now(self) -> str:
        """ARM's time (ISO, UTC). Refused when the app may read no subscription, and the errors of a read."""
        seen, before = self._clients.last_date, self._clients.last_date.answers
        reading = asyncio.ensure_future(self._read(before))
        try:
            while not (await asyncio.wait({reading}, timeout=_PATIENCE_S))[0]:
                if seen.answers > before:
                    _log.warning("the read of ARM's clock has no answer yet, so the Date of another one is used")
                    return seen.at
            return reading.result()
        except GatewayError as error:
            if seen.answers == before:
                raise
            _log.warning("the read of ARM's clock failed, so the Date of another answer is used: %s", error)
            return seen.at
        finally:
            reading.cancel()

    async def _read(self, before: int) -> str:
        """The time of the first subscription that answers; the error as soon as there is another answer with a Date."""
        candidates = [self._subscription] if self._subscription else await self._graph.list_subscriptions()
        failure: GatewayError = Refused(
            "NoSubscription", "the management group has no subscription that the app may read"
        )
        for subscription in candidates[:_TRIED]:
            try:
                answer = await rest.get(self._clients.rest, f"/subscriptions/{subscription}", _API_VERSION)
                now = http_date(answer.headers)
            except GatewayError as error:
                self._subscription, failure = None, error
                if self._clients.last_date.answers > before:
                    break
            else:
                self._subscription = subscription
                return now
        raise failure
