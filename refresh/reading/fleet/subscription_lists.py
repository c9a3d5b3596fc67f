"""Every VM and disk of the configured subscriptions from ARM's lists, and facts read from them instead of one by one.

Decides what stands in for a read when a whole fleet is shown: 2,500 single reads would take three minutes of ARM's read
quota, lists take some thirty requests. Refuses to judge. Nothing is done to a VM on these facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import collect

# Somebody waits for an answer; Azure says itself when to ask again.
LIST_BUDGET_S = 20.0


@dataclass(frozen=True)
class Inventory:
    """VMs and disks by lower-case id; `subscriptions` (lower-case) are those that were listed whole."""

    subscriptions: frozenset[str]
    vms: Mapping[str, Vm]
    disks: Mapping[str, Disk]

    def os_disk(self, vm: Vm | None) -> Disk | None:
        """The VM's OS disk, where it was listed."""
        return self.disks.get(vm.os_disk_id.lower()) if vm is not None and vm.os_disk_id else None


async def list_subscriptions(gateways: Gateways) -> list[str]:
    """The configured subscriptions, lower-case. GatewayError when Azure would not say."""
    found = await retry_until_answered(gateways.graph.list_subscriptions, budget_s=LIST_BUDGET_S)
    return [subscription.lower() for subscription in found]


async def list_vms(gateways: Gateways, subscriptions: list[str], *, budget_s: float = LIST_BUDGET_S) -> dict[str, Vm]:
    """Every VM of these subscriptions. GatewayError when one of them could not be listed whole."""
    found: dict[str, Vm] = {}
    for subscription in subscriptions:
        rows = await retry_until_answered(
            lambda wanted=subscription: collect(gateways.compute.list_vms(wanted)),  # type: ignore[misc]
            budget_s=budget_s,
        )
        found.update({vm.id.lower(): vm for vm in rows})
    return found


async def list_disks(
    gateways: Gateways, subscriptions: list[str], *, budget_s: float = LIST_BUDGET_S
) -> dict[str, Disk]:
    """Every disk of these subscriptions. GatewayError when one of them could not be listed whole."""
    found: dict[str, Disk] = {}
    for subscription in subscriptions:
        rows = await retry_until_answered(
            lambda wanted=subscription: collect(gateways.disks.list_disks(wanted)),  # type: ignore[misc]
            budget_s=budget_s,
        )
        found.update({disk.id.lower(): disk for disk in rows})
    return found


async def list_inventory(gateways: Gateways) -> Inventory:
    """Everything in the configured subscriptions. GatewayError when anything could not be listed: no half truths."""
    subscriptions = await list_subscriptions(gateways)
    vms = await list_vms(gateways, subscriptions)
    return Inventory(frozenset(subscriptions), vms, await list_disks(gateways, subscriptions))
