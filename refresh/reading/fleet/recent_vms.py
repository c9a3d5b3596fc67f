"""Lists of VMs that the batches of one piece of bulk work share.

Decides how old such a list may be: it shows which disks the tags of other VMs name, and the swap reads them again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol
from weakref import WeakKeyDictionary

from refresh.domain.azure.vms import Vm
from refresh.reading.fleet.vms_and_disks import collect_named

# Ten batches run at once, and each takes longer: without this each would list the VMs of a large group.
_FRESH_S = 30.0


class VmLists(Protocol):
    """Where VMs are listed."""

    def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        """Every VM of a resource group."""
        ...

    def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        """Every VM of a subscription."""
        ...


type _Lists = dict[str, tuple[float, asyncio.Task[list[Vm]]]]
_LISTED: WeakKeyDictionary[VmLists, _Lists] = WeakKeyDictionary()


class RecentVms:
    """Lists of `lists` that are at most half a minute old. GatewayError, which is not kept."""

    def __init__(self, lists: VmLists) -> None:
        """Share lists with every other `RecentVms` of `lists`."""
        self._lists = lists
        self._known = _LISTED.setdefault(lists, {})

    async def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        """Every VM of a resource group."""
        for vm in await self._once(group_id.lower(), lambda: self._lists.list_group_vms(group_id)):
            yield vm

    async def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        """Every VM of a subscription."""
        for vm in await self._once(subscription.lower(), lambda: self._lists.list_vms(subscription)):
            yield vm

    async def _once(self, key: str, call: Callable[[], AsyncIterator[Vm]]) -> list[Vm]:
        now_s = asyncio.get_running_loop().time()
        for old in [known for known, (since_s, _) in self._known.items() if now_s - since_s > _FRESH_S]:
            del self._known[old]
        if key not in self._known:
            rows: Awaitable[list[Vm]] = collect_named(call(), f"the VMs of {key}")
            self._known[key] = (now_s, asyncio.ensure_future(rows))
        task = self._known[key][1]
        try:
            # A batch that ends must not cancel the list for the others.
            return await asyncio.shield(task)
        except Exception:
            if self._known.get(key, (0.0, None))[1] is task:
                del self._known[key]
            raise
