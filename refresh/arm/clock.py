"""ARM's clock, the only one that the app uses for decisions.

Decides which cheap read gives the time. Does not use this machine's clock.
"""

from __future__ import annotations

from refresh.arm import rest
from refresh.arm.bodies import http_date
from refresh.arm.clients import Clients
from refresh.gateways.errors import Refused
from refresh.gateways.gateways import Graph

_API_VERSION = "2022-12-01"


class ArmClock:
    """`gateways.ArmClock` on the Date header of one GET of the first subscription.

    https://learn.microsoft.com/rest/api/resources/subscriptions/get
    """

    def __init__(self, clients: Clients, graph: Graph) -> None:
        """Read, through `clients`, the first subscription in scope by `graph`."""
        self._clients = clients
        self._graph = graph
        self._subscription: str | None = None

    async def now(self) -> str:
        """ARM's time (ISO, UTC). Refused when the app may read no subscription, and the errors of a read."""
        if self._subscription is None:
            in_scope = await self._graph.list_subscriptions()
            if not in_scope:
                raise Refused("NoSubscription", "the management group has no subscription that the app may read")
            self._subscription = in_scope[0]
        answer = await rest.get(self._clients.rest, f"/subscriptions/{self._subscription}", _API_VERSION)
        return http_date(answer.headers)
