"""The VMs and disks one piece of bulk work is about: one GET each for a few, paged lists for many.

Decides how facts are fetched so that a whole fleet stays inside ARM's read quota. Refuses to judge them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.records.swap import VMS_PER_BULK_ACTIVITY

BUDGET_S = 120.0
"""How long one read or write of bulk work is tried: nobody is down while it waits."""


async def collect[T](rows: AsyncIterator[T]) -> list[T]:
    """Every row of a paged list."""
    return [row async for row in rows]


@dataclass
class Fleet:
    """Reads VMs and disks by id; None is one that does not exist. GatewayError when Azure would not say."""

    gateways: Gateways
    listed: Mapping[str, GatewayError | None] = field(default_factory=dict)
    vms: Mapping[str, Vm] = field(default_factory=dict)
    disks: Mapping[str, Disk] = field(default_factory=dict)

    async def vm(self, vm_id: str) -> Vm | None:
        """The VM."""
        if self._is_listed(vm_id):
            return self.vms.get(vm_id.lower())
        try:
            return await retry_until_answered(lambda: self.gateways.compute.read_vm(vm_id), budget_s=BUDGET_S)
        except NotFound:
            return None

    async def disk(self, disk_id: str) -> Disk | None:
        """The disk."""
        if self._is_listed(disk_id):
            return self.disks.get(disk_id.lower())
        try:
            return await retry_until_answered(lambda: self.gateways.disks.read_disk(disk_id), budget_s=BUDGET_S)
        except NotFound:
            return None

    def _is_listed(self, text: str) -> bool:
        found = resource_id.parse(text)
        if found is None or found.subscription.lower() not in self.listed:
            return False
        error = self.listed[found.subscription.lower()]
        if error is not None:
            raise error
        return True


async def read_fleet(gateways: Gateways, vm_ids: Sequence[str]) -> Fleet:
    """A fleet for `vm_ids`: nothing read yet for a batch of bulk work, everything listed for more than one batch.

    ARM refills 25 reads a second for each subscription, so 2,500 VMs at three reads each would take five minutes:
    https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    """
    if len(vm_ids) <= VMS_PER_BULK_ACTIVITY:
        return Fleet(gateways)
    parsed = (resource_id.parse_vm(vm_id) for vm_id in vm_ids)
    listed: dict[str, GatewayError | None] = {}
    vms: dict[str, Vm] = {}
    disks: dict[str, Disk] = {}
    for subscription in sorted({found.subscription.lower() for found in parsed if found is not None}):
        listed[subscription] = await _list_subscription(gateways, subscription, vms, disks)
    return Fleet(gateways, listed, vms, disks)


async def _list_subscription(
    gateways: Gateways, subscription: str, vms: dict[str, Vm], disks: dict[str, Disk]
) -> GatewayError | None:
    compute, all_disks = gateways.compute, gateways.disks
    try:
        for vm in await retry_until_answered(lambda: collect(compute.list_vms(subscription)), budget_s=BUDGET_S):
            vms[vm.id.lower()] = vm
        for disk in await retry_until_answered(lambda: collect(all_disks.list_disks(subscription)), budget_s=BUDGET_S):
            disks[disk.id.lower()] = disk
    except GatewayError as error:
        return error
    return None
