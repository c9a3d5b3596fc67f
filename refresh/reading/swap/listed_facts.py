"""Facts about many VMs from ARM's lists, for decisions that read no VM one by one.

Decides where each fact of a listed VM comes from. Decides nothing about the VM.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.terms import resource_id
from refresh.domain.vm.wish import with_wish
from refresh.gateways.errors import NotFound
from refresh.reading.fleet.subscription_lists import Inventory
from refresh.reading.swap.facts import DiskSource, ImageSource, VmSource
from refresh.reading.swap.preflight_facts import AccessSource


@dataclass(frozen=True)
class Source:
    """A `FactSource` put together from parts."""

    compute: VmSource
    disks: DiskSource
    gallery: ImageSource
    access: AccessSource | None


@dataclass(frozen=True)
class ListedVms:
    """VMs from an inventory."""

    inventory: Inventory

    async def read_vm(self, vm_id: str) -> Vm:
        """The VM. A list has no power state, so a VM without one counts as running.

        NotFound, or the error with which its subscription was not listed.
        """
        vm = self.inventory.vms.get(vm_id.lower())
        found = resource_id.parse(vm_id)
        if vm is None and found is not None:
            self._raise_if_unread(found.subscription)
        if vm is None:
            raise NotFound("ResourceNotFound", "the VM is not among those listed")
        return replace(vm, power=Power.RUNNING) if vm.power is Power.UNKNOWN else vm

    async def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        """The VMs of a resource group. The error with which its subscription was not listed."""
        self._raise_if_unread(group_id.strip("/").split("/")[1])
        for vm_id, vm in self.inventory.vms.items():
            if vm_id.startswith(f"{group_id.lower()}/"):
                yield vm

    async def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        """The VMs of a subscription. The error with which it was not listed."""
        self._raise_if_unread(subscription)
        for vm_id, vm in self.inventory.vms.items():
            if vm_id.startswith(f"/subscriptions/{subscription.lower()}/"):
                yield vm

    def _raise_if_unread(self, subscription: str) -> None:
        error = self.inventory.unread.get(subscription.lower())
        if error is not None:
            raise error


@dataclass(frozen=True)
class ListedDisks:
    """Disks from an inventory; a disk of a subscription that was not listed is read."""

    inventory: Inventory
    others: DiskSource

    async def read_disk(self, disk_id: str) -> Disk:
        """The disk. NotFound, or the errors of a read."""
        found = resource_id.parse(disk_id)
        if found is None or found.subscription.lower() not in self.inventory.subscriptions:
            return await self.others.read_disk(disk_id)
        disk = self.inventory.disks.get(disk_id.lower())
        if disk is None:
            raise NotFound("ResourceNotFound", "the disk is not among those listed")
        return disk


@dataclass(frozen=True)
class RetaggedVms:
    """VMs as if their tag named another disk: `wishes` by lower-case VM id. For dry runs."""

    vms: VmSource
    wishes: Mapping[str, str]

    async def read_vm(self, vm_id: str) -> Vm:
        """The VM, with its `OsDiskName` replaced where `wishes` has it."""
        return self._retagged(await self.vms.read_vm(vm_id))

    async def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        """The VMs of a resource group, with the same replacement."""
        async for vm in self.vms.list_group_vms(group_id):
            yield self._retagged(vm)

    async def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        """The VMs of a subscription, with the same replacement."""
        async for vm in self.vms.list_vms(subscription):
            yield self._retagged(vm)

    def _retagged(self, vm: Vm) -> Vm:
        wish = self.wishes.get(vm.id.lower())
        return vm if wish is None else with_wish(vm, wish)
