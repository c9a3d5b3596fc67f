"""Lists every VM and disk of the configured subscriptions.

Decides how a whole fleet is read to be shown: 2,500 single reads would take three minutes of ARM's read quota, lists
take some thirty requests. Subscriptions are read beside each other. Nothing is done to a VM on facts from lists.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.polls import LIST_BUDGET_S, LIST_LIMIT_S
from refresh.domain.azure.vms import Vm
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.each_subscription import Parts, about, raise_if_none, read_each, read_within
from refresh.reading.fleet.vms_and_disks import collect, collect_named


@dataclass(frozen=True)
class Inventory:
    """VMs and disks by lower-case id; `subscriptions` (lower-case) are those that were listed completely.

    A subscription of which one list is incomplete is `unread`, with the reason, and has no VMs and no disks here.
    """

    subscriptions: frozenset[str]
    vms: Mapping[str, Vm]
    disks: Mapping[str, Disk]
    unread: Mapping[str, GatewayError] = field(default_factory=dict)

    def os_disk(self, vm: Vm | None) -> Disk | None:
        """The VM's OS disk; None when it was not listed."""
        return self.disks.get(vm.os_disk_id.lower()) if vm is not None and vm.os_disk_id else None


async def list_subscriptions(gateways: Gateways) -> list[str]:
    """The configured subscriptions, lower-case. GatewayError when they cannot be read."""
    found = await retry_until_answered(gateways.graph.list_subscriptions, budget_s=LIST_BUDGET_S)
    return [subscription.lower() for subscription in found]


async def list_vms_of_each(
    gateways: Gateways, subscriptions: list[str], *, budget_s: float = LIST_BUDGET_S, limit_s: float = LIST_LIMIT_S
) -> Parts[dict[str, Vm]]:
    """Every VM of each subscription, by lower-case id; the log has that rows without an id were left out."""
    return await _list_each(_named(gateways.compute.list_vms, "VMs"), subscriptions, budget_s, limit_s)


async def list_disks_of_each(
    gateways: Gateways, subscriptions: list[str], *, budget_s: float = LIST_BUDGET_S, limit_s: float = LIST_LIMIT_S
) -> Parts[dict[str, Disk]]:
    """Every disk of each subscription, by lower-case id; the log has that rows without an id were left out."""
    return await _list_each(_named(gateways.disks.list_disks, "disks"), subscriptions, budget_s, limit_s)


async def list_vms(
    gateways: Gateways, subscriptions: list[str], *, budget_s: float = LIST_BUDGET_S, limit_s: float = LIST_LIMIT_S
) -> dict[str, Vm]:
    """Every VM of these subscriptions. GatewayError, which names it, when one could not be listed completely."""
    return _all_of(await _list_each(_whole(gateways.compute.list_vms), subscriptions, budget_s, limit_s))


async def list_disks(
    gateways: Gateways, subscriptions: list[str], *, budget_s: float = LIST_BUDGET_S, limit_s: float = LIST_LIMIT_S
) -> dict[str, Disk]:
    """Every disk of these subscriptions. GatewayError, which names it, when one could not be listed completely."""
    return _all_of(await _list_each(_whole(gateways.disks.list_disks), subscriptions, budget_s, limit_s))


async def list_inventory(gateways: Gateways) -> Inventory:
    """Every VM and disk of the subscriptions that can be read. GatewayError when there is none of these."""
    subscriptions = await list_subscriptions(gateways)
    vms = await list_vms_of_each(gateways, subscriptions)
    disks = await list_disks_of_each(gateways, list(vms.read))
    whole = raise_if_none(Parts(disks.read, {**vms.unread, **disks.unread}))
    return Inventory(
        frozenset(whole.read),
        {vm_id: vm for subscription in whole.read for vm_id, vm in vms.read[subscription].items()},
        {disk_id: disk for part in whole.read.values() for disk_id, disk in part.items()},
        whole.unread,
    )


def _whole[T](list_one: Callable[[str], AsyncIterator[T]]) -> Callable[[str], Awaitable[list[T]]]:
    return lambda subscription: collect(list_one(subscription))


def _named[T](list_one: Callable[[str], AsyncIterator[T]], what: str) -> Callable[[str], Awaitable[list[T]]]:
    return lambda subscription: collect_named(list_one(subscription), f"the {what} of subscription {subscription}")


async def _list_each[T: (Vm, Disk)](
    list_one: Callable[[str], Awaitable[list[T]]], subscriptions: list[str], budget_s: float, limit_s: float
) -> Parts[dict[str, T]]:
    async def read(subscription: str) -> dict[str, T]:
        rows = await read_within(lambda: list_one(subscription), budget_s=budget_s, limit_s=limit_s)
        return {row.id.lower(): row for row in rows}

    return await read_each(subscriptions, read)


def _all_of[T](parts: Parts[dict[str, T]]) -> dict[str, T]:
    for subscription, error in parts.unread.items():
        raise about(subscription, error)
    return {key: row for part in parts.read.values() for key, row in part.items()}
