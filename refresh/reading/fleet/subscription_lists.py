"""Every VM and disk of the configured subscriptions from ARM's lists, and facts read from them instead of one by one.

Decides what stands in for a read when a whole fleet is shown: 2,500 single reads would take three minutes of ARM's read
quota, lists take some thirty requests. Refuses to judge. Nothing is done to a VM on these facts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from refresh.domain.azure.vms import Disk, Power, Vm
from refresh.domain.terms import resource_id, tags
from refresh.gateways.gateways import Gateways, NotFound
from refresh.reading.calls.retrying import patiently
from refresh.reading.fleet.vms_and_disks import collect
from refresh.reading.swap.facts import DiskSource, ImageSource, VmSource
from refresh.reading.swap.preflight_facts import AccessSource

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
    found = await patiently(gateways.graph.list_subscriptions, budget_s=LIST_BUDGET_S)
    return [subscription.lower() for subscription in found]


async def list_vms(gateways: Gateways, subscriptions: list[str], *, budget_s: float = LIST_BUDGET_S) -> dict[str, Vm]:
    """Every VM of these subscriptions. GatewayError when one of them could not be listed whole."""
    found: dict[str, Vm] = {}
    for subscription in subscriptions:
        rows = await patiently(
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
        rows = await patiently(
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


@dataclass(frozen=True)
class Source:
    """A `FactSource` put together from parts."""

    compute: VmSource
    disks: DiskSource
    gallery: ImageSource
    access: AccessSource | None


@dataclass(frozen=True)
class ListedVms:
    """VMs as an inventory has them."""

    inventory: Inventory

    async def read_vm(self, vm_id: str) -> Vm:
        """The VM, taken to run when nothing moves it: a list does not tell its power. NotFound."""
        vm = self.inventory.vms.get(vm_id.lower())
        if vm is None:
            raise NotFound("ResourceNotFound", "the VM is not among those listed")
        return replace(vm, power=Power.RUNNING) if vm.power is Power.UNKNOWN else vm

    async def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        """Those of a resource group."""
        for vm_id, vm in self.inventory.vms.items():
            if vm_id.startswith(f"{group_id.lower()}/"):
                yield vm

    async def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        """Those of a subscription."""
        for vm_id, vm in self.inventory.vms.items():
            if vm_id.startswith(f"/subscriptions/{subscription.lower()}/"):
                yield vm


@dataclass(frozen=True)
class ListedDisks:
    """Disks as an inventory has them; one of a subscription that was not listed is read."""

    inventory: Inventory
    others: DiskSource

    async def read_disk(self, disk_id: str) -> Disk:
        """The disk. NotFound, or whatever reading it says."""
        found = resource_id.parse(disk_id)
        if found is None or found.subscription.lower() not in self.inventory.subscriptions:
            return await self.others.read_disk(disk_id)
        disk = self.inventory.disks.get(disk_id.lower())
        if disk is None:
            raise NotFound("ResourceNotFound", "the disk is not among those listed")
        return disk


@dataclass(frozen=True)
class WishingVms:
    """VMs as if their tag asked for a disk: `wishes` by lower-case VM id. For dry runs."""

    vms: VmSource
    wishes: Mapping[str, str]

    async def read_vm(self, vm_id: str) -> Vm:
        """The VM with its `OsDiskName` replaced, where there is a wish for it."""
        return self._wishing(await self.vms.read_vm(vm_id))

    async def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        """The VMs of a resource group, likewise."""
        async for vm in self.vms.list_group_vms(group_id):
            yield self._wishing(vm)

    async def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        """The VMs of a subscription, likewise."""
        async for vm in self.vms.list_vms(subscription):
            yield self._wishing(vm)

    def _wishing(self, vm: Vm) -> Vm:
        wish = self.wishes.get(vm.id.lower())
        if wish is None:
            return vm
        others = {name: value for name, value in vm.tags.items() if name.lower() != tags.OS_DISK_NAME.lower()}
        return replace(vm, tags={**others, tags.OS_DISK_NAME: wish})
