"""Reads the VMs and disks of one piece of bulk work: with one GET each for a few, from lists for many.

Decides which of the two, so that a whole fleet stays inside ARM's read quota.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.polls import BULK_BUDGET_S, BULK_LIST_LIMIT_S
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id
from refresh.gateways.errors import GatewayError, NotFound, Unnamed
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.each_subscription import read_each, read_within
from refresh.records.swap import VMS_PER_BULK_ACTIVITY

_log = logging.getLogger(__name__)


async def collect[T](rows: AsyncIterator[T]) -> list[T]:
    """Every row of a paged list."""
    return [row async for row in rows]


async def collect_named[T](rows: AsyncIterator[T], what: str) -> list[T]:
    """Every row that has an id; the log names `what` when others have none."""
    found = []
    try:
        async for row in rows:
            found.append(row)
    except Unnamed as error:
        _log.error("%s: %s", what, error)
    return found


@dataclass
class Fleet:
    """Reads VMs and disks by id; None when one does not exist. GatewayError when it cannot be read."""

    gateways: Gateways
    listed: Mapping[str, GatewayError | None] = field(default_factory=dict)
    vms: Mapping[str, Vm] = field(default_factory=dict)
    disks: Mapping[str, Disk] = field(default_factory=dict)

    async def vm(self, vm_id: str) -> Vm | None:
        """The VM."""
        if self._is_listed(vm_id):
            return self.vms.get(vm_id.lower())
        try:
            return await retry_until_answered(lambda: self.gateways.compute.read_vm(vm_id), budget_s=BULK_BUDGET_S)
        except NotFound:
            return None

    async def disk(self, disk_id: str) -> Disk | None:
        """The disk."""
        if self._is_listed(disk_id):
            return self.disks.get(disk_id.lower())
        try:
            return await retry_until_answered(lambda: self.gateways.disks.read_disk(disk_id), budget_s=BULK_BUDGET_S)
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
    """A fleet for `vm_ids`: without reads for one batch of bulk work, with everything listed for more than one.

    ARM refills 25 reads a second in each subscription: three reads for each of 2,500 VMs would take five minutes.
    https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    """
    if len(vm_ids) <= VMS_PER_BULK_ACTIVITY:
        return Fleet(gateways)
    parsed = (resource_id.parse_vm(vm_id) for vm_id in vm_ids)
    vms: dict[str, Vm] = {}
    disks: dict[str, Disk] = {}

    async def read(subscription: str) -> None:
        compute, all_disks = gateways.compute, gateways.disks
        of = f"of subscription {subscription}"
        listed_vms = await _read_list(lambda: collect_named(compute.list_vms(subscription), f"the VMs {of}"))
        listed_disks = await _read_list(lambda: collect_named(all_disks.list_disks(subscription), f"the disks {of}"))
        vms.update({vm.id.lower(): vm for vm in listed_vms})
        disks.update({disk.id.lower(): disk for disk in listed_disks})

    parts = await read_each(sorted({found.subscription.lower() for found in parsed if found is not None}), read)
    return Fleet(gateways, {**parts.read, **parts.unread}, vms, disks)


async def _read_list[T](call: Callable[[], Awaitable[list[T]]]) -> list[T]:
    return await read_within(call, budget_s=BULK_BUDGET_S, limit_s=BULK_LIST_LIMIT_S)
