"""Whether a VM belongs to a subscription that the settings name.

Decides what is refused before anything is read, how long the list of a management group's subscriptions is used, and
that the last list counts while a new one cannot be read. Does not know where the VM's id comes from.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from refresh.domain.azure.polls import READ_BUDGET_S
from refresh.domain.terms import resource_id
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Graph
from refresh.reading.calls.retrying import retry_until_answered
from refresh.settings.settings import Settings

# Resource Graph allows 15 queries in 5 seconds, and every swap asks:
# https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
LIST_USED_S = 60.0


@dataclass
class _Listed:
    """The subscriptions of the management group, as read at `at_s` of the loop's time."""

    ids: frozenset[str] | None = None
    at_s: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_listed: WeakKeyDictionary[Graph, _Listed] = WeakKeyDictionary()


@dataclass(frozen=True)
class ConfiguredSubscriptions:
    """The subscriptions in which the app may read and change VMs."""

    graph: Graph
    settings: Settings

    async def why_outside(self, vm_id: str) -> str | None:
        """Why a VM with this id is refused; None when its subscription is configured.

        GatewayError when a management group is configured and its subscriptions have never been read.
        """
        found = resource_id.parse_vm(vm_id)
        return "this is not the id of a VM" if found is None else await self.why_not_configured(found.subscription)

    async def why_not_configured(self, subscription: str) -> str | None:
        """Why the VMs of a subscription are refused; None when it is configured. GatewayError as in `why_outside`."""
        group = self.settings.management_group
        if not group:
            if subscription.lower() in self.settings.subscriptions:
                return None
            cure = "is not in REFRESH_SUBSCRIPTIONS: add it there to have its VMs refreshed"
        else:
            if subscription.lower() in await self._in_group():
                return None
            cure = f"is not below management group {group} (REFRESH_MANAGEMENT_GROUP): move it there, or leave it out"
        return f"subscription {subscription} {cure}"

    async def _in_group(self) -> frozenset[str]:
        listed = _listed.setdefault(self.graph, _Listed())
        async with listed.lock:  # swaps that begin together wait for one query
            now = asyncio.get_running_loop().time()
            if listed.ids is not None and now - listed.at_s < LIST_USED_S:
                return listed.ids
            try:
                found = await retry_until_answered(self.graph.list_subscriptions, budget_s=READ_BUDGET_S)
            except GatewayError:
                if listed.ids is None:
                    raise
                return listed.ids
            listed.ids = frozenset(one.lower() for one in found)
            listed.at_s = asyncio.get_running_loop().time()
            return listed.ids
