"""Plans of a month's disks that the swap would accept, for dry runs. Changes nothing.

Decides which facts the checks have: those of single reads for a few VMs, those of lists for many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refresh.gateways.gateways import Gateways
from refresh.reading.disks.disk_plans import MOVING, DiskPlan, each_vm, plan_disk, plan_row
from refresh.reading.disks.swap_checks import SwapChecks
from refresh.reading.fleet.vms_and_disks import Fleet, read_fleet
from refresh.reading.images.galleries import Catalog
from refresh.reading.swap.decide_many import Recall
from refresh.records.month import VmRow, refused
from refresh.records.swap import VMS_PER_BULK_ACTIVITY
from refresh.settings.settings import Settings


class CheckedPlans:
    """Plans the disks of many VMs for one period."""

    def __init__(self, fleet: Fleet, catalog: Catalog, checks: SwapChecks, period: str) -> None:
        """Plan from `fleet` and `catalog`, and hold each plan against `checks`."""
        self._fleet = fleet
        self._catalog = catalog
        self._checks = checks
        self._period = period

    async def plan(self, vm_id: str) -> DiskPlan | VmRow:
        """The disk of a VM, or the row with the reason why the month makes none. GatewayError."""
        found = await plan_disk(self._fleet, self._catalog, vm_id, self._period)
        if isinstance(found, VmRow):
            return found
        if found.existing is not None and found.existing.provisioning_state in MOVING:
            return found  # a run waits for it, and checks it then
        failed = await self._checks.first_failed_of(found, self._period)
        if failed is None:
            return found
        kept = found.name if found.existing is not None else None
        return refused(found.vm.id, failed, current=found.vm.os_disk_name, next=kept)


def checks_for(
    gateways: Gateways, settings: Settings, vm_ids: Sequence[str], recall: Recall, *, force: bool = False
) -> SwapChecks:
    """The checks for plans about `vm_ids`: for more than one batch of bulk work, without further reads."""
    return SwapChecks(gateways, settings, recall, exact=len(vm_ids) <= VMS_PER_BULK_ACTIVITY, force=force)


async def plan_disks(
    gateways: Gateways, settings: Settings, vm_ids: Sequence[str], period: str, recall: Recall
) -> list[dict[str, Any]]:
    """The rows that `create_disks` would return for `vm_ids`, in their order. Changes nothing."""
    fleet, catalog = await read_fleet(gateways, vm_ids), Catalog(gateways, settings.galleries)
    plans = CheckedPlans(fleet, catalog, checks_for(gateways, settings, vm_ids, recall), period)

    async def plan(vm_id: str) -> VmRow:
        found = await plans.plan(vm_id)
        return found if isinstance(found, VmRow) else plan_row(found)

    return await each_vm(vm_ids, plan, burst=len(vm_ids))
