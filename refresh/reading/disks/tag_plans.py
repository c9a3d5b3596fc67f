"""Plans the tags of a month: in which VMs `OsDiskName` gets the name of the new disk. Changes nothing.

Decides when the tag is written and when a VM is left as it is. The dry run and the real run plan with the same
functions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from refresh.domain.azure import polls
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.gateways import Gateways
from refresh.reading.disks.disk_plans import (
    MOVING,
    DiskPlan,
    each_vm,
    plan_disk_of,
    read_subject,
    row_of,
    source_of,
)
from refresh.reading.fleet.vms_and_disks import Fleet, read_fleet
from refresh.reading.images.galleries import Catalog
from refresh.records.month import CREATE, REFUSE, SKIP, VmRow
from refresh.settings.settings import Settings

_MAX_WANTED = 80

# The hash of the image version that a VM (by its id) was rolled back from by a person.
type DeclinedBy = Callable[[str], str | None]


def nothing_declined(_vm_id: str) -> str | None:
    """No VM was rolled back by a person."""
    return None


async def plan_tag(
    fleet: Fleet, catalog: Catalog, vm_id: str, period: str, *, force: bool, declined: str | None = None
) -> VmRow:
    """The row of `vm_id`: `create` when `OsDiskName` becomes `next`, else the reason why not.

    `declined` is the hash of the image version that the VM was rolled back from by a person.
    GatewayError when the VM or a disk cannot be read.
    """
    vm = await read_subject(fleet, vm_id)
    if isinstance(vm, VmRow):
        return vm
    wanted = vm.own_tags.wanted[:_MAX_WANTED] or None
    early = _check_hold(vm)
    row = early or judge_tag(await _plan_settled(fleet, catalog, vm, period), force=force, declined=declined)
    return replace(row, wanted=wanted)


async def _plan_settled(fleet: Fleet, catalog: Catalog, vm: Vm, period: str) -> DiskPlan | VmRow:
    """The plan of the VM's disk, read again while Azure still changes that disk, unless it is from a list."""
    waited_s, pause_s = 0.0, polls.MAKE_DISK.every_s
    while True:
        plan = await plan_disk_of(fleet, catalog, vm, period)
        disk = None if isinstance(plan, VmRow) else plan.existing
        if disk is None or disk.provisioning_state not in MOVING or fleet.listed or waited_s >= polls.DISK_SETTLES_S:
            return plan
        await asyncio.sleep(pause_s)
        waited_s, pause_s = waited_s + pause_s, polls.MAKE_DISK.next_pause_s(pause_s)


def _check_hold(vm: Vm) -> VmRow | None:
    if vm.own_tags.on_hold:
        message = f"{tags.AUTO_REFRESH}=hold: the app leaves this VM alone"
        return VmRow(vm.id, SKIP, MonthReason.ON_HOLD, message, current=vm.os_disk_name)
    return None


def judge_tag(plan: DiskPlan | VmRow, *, force: bool, declined: str | None = None) -> VmRow:
    """Whether the tag of the VM of `plan` is written; the disk must exist and be free."""
    if isinstance(plan, VmRow):
        return plan
    vm, disk = plan.vm, plan.existing
    if resource_id.same(plan.current.source_version, plan.version.id):
        message = f"the VM runs a disk from {source_of(plan)}, the latest version, already"
        return row_of(plan, SKIP, MonthReason.ALREADY_THERE, message)
    if disk is None:
        return row_of(plan, REFUSE, MonthReason.NO_DISK, f"disk {plan.name} does not exist yet; create disks first")
    if disk.provisioning_state != "Succeeded" or disk.disk_state != "Unattached" or disk.managed_by:
        message = (
            f"disk {plan.name} is {disk.provisioning_state}, {disk.disk_state}; only a free disk can be swapped in"
        )
        return row_of(plan, REFUSE, MonthReason.DISK_NOT_FREE, message)
    if _names(vm.own_tags.wanted, plan):
        return row_of(plan, SKIP, MonthReason.ALREADY_TAGGED, f"{tags.OS_DISK_NAME} names {plan.name} already")
    if not force and _names(vm.own_tags.rejected, plan):
        message = f"disk {plan.name} was found unhealthy on this VM and rolled back; make a newer one, or use force"
        return row_of(plan, SKIP, MonthReason.REJECTED_BEFORE, message)
    if not force and is_declined(plan, declined):
        return row_of(plan, SKIP, MonthReason.ROLLED_BACK_BEFORE, why_declined(plan))
    return row_of(plan, CREATE, MonthReason.MISSING, f"{tags.OS_DISK_NAME} is to become {plan.name}")


def is_declined(plan: DiskPlan, declined: str | None) -> bool:
    """Whether a person has had the VM swapped back from the version of `plan`."""
    return declined is not None and resource_id.id_hash(plan.version.id) == declined


def why_declined(plan: DiskPlan) -> str:
    """The message about a version that a VM was rolled back from."""
    return f"this VM was rolled back from {source_of(plan)} by request; it gets a newer version, or this one with force"


def _names(value: str, plan: DiskPlan) -> bool:
    return value.lower() in (plan.name.lower(), plan.disk_id.lower())


async def plan_tags(
    gateways: Gateways,
    settings: Settings,
    vm_ids: Sequence[str],
    period: str,
    *,
    force: bool = False,
    declined_by: DeclinedBy = nothing_declined,
) -> list[dict[str, Any]]:
    """The rows that `write_tags` would return for `vm_ids`, in their order. Changes nothing."""
    fleet, catalog = await read_fleet(gateways, vm_ids), Catalog(gateways, settings.galleries)

    async def plan(vm_id: str) -> VmRow:
        return await plan_tag(fleet, catalog, vm_id, period, force=force, declined=declined_by(vm_id))

    return await each_vm(vm_ids, plan, burst=len(vm_ids))
