"""Lists every VM and disk of the configured subscriptions.

Decides how a whole fleet is read to be shown: 2,500 single reads would take three minutes of ARM's read quota, lists
take some thirty requests. Nothing is done to a VM on facts from lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.polls import LIST_BUDGET_S
from refresh.domain.azure.vms import Vm
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import collect


@dataclass(frozen=True)
class Inventory:
    """VMs and disks by lower-case id; `subscriptions` (lower-case) are those that were listed completely."""

    subscriptions: frozenset[str]
    vms: Mapping[str, Vm]
    disks: Mapping[str, Disk]

    def os_disk(self, vm: Vm | None) -> Disk | None:
        """The VM's OS disk; None when it was not listed."""
        return self.disks.get(vm.os_disk_id.lower()) if vm is not None and vm.os_disk_id else None


async def list_subscriptions(gateways: Gateways) -> list[str]:
    """The configured subscriptions, lower-case. GatewayError when they cannot be read."""
    found = await retry_until_answered(gateways.graph.list_subscriptions, budget_s=LIST_BUDGET_S)
    return [subscription.lower() for subscription in found]


async def list_vms(gateways: Gateways, subscriptions: list[str], *, budget_s: float = LIST_BUDGET_S) -> dict[str, Vm]:
    """Every VM of these subscriptions. GatewayError when one of them could not be listed completely."""
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
    """Every disk of these subscriptions. GatewayError when one of them could not be listed completely."""
    found: dict[str, Disk] = {}
    for subscription in subscriptions:
        rows = await retry_until_answered(
            lambda wanted=subscription: collect(gateways.disks.list_disks(wanted)),  # type: ignore[misc]
            budget_s=budget_s,
        )
        found.update({disk.id.lower(): disk for disk in rows})
    return found


async def list_inventory(gateways: Gateways) -> Inventory:
    """Every VM and disk of the configured subscriptions. GatewayError when any list is incomplete."""
    subscriptions = await list_subscriptions(gateways)
    vms = await list_vms(gateways, subscriptions)
    return Inventory(frozenset(subscriptions), vms, await list_disks(gateways, subscriptions))
