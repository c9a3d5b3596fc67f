"""Plans the disks of a month: which exist, which must be made, and from which version. Changes nothing.

Decides what is read; `domain/disks` chooses image and disk. The dry run and the real run plan with the same functions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.azure.vms import Vm
from refresh.domain.disks.image_choice import choose_definition
from refresh.domain.disks.month_disk import check_os_disk, disk_size_gb, is_months_disk
from refresh.domain.preflight.all_checks import check_vm
from refresh.domain.preflight.check import first_failed
from refresh.domain.terms import names, resource_id
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.errors import GatewayError
from refresh.reading.fleet.vms_and_disks import Fleet
from refresh.reading.images.galleries import Catalog
from refresh.records.month import CREATE, FAILED, SKIP, VmRow, refused

DISK = "Microsoft.Compute/disks"
MOVING = ("Creating", "Updating")
"""Provisioning states of a disk that is being made or changed."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DiskPlan:
    """The month's disk of one VM: `existing`, or to be made as `disk_id` from `version` (of `definition`).

    Otherwise it is like `current`, the VM's OS disk.
    """

    vm: Vm
    current: Disk
    definition: Definition
    version: Version
    disk_id: str
    name: str
    existing: Disk | None = None


async def plan_disk(fleet: Fleet, catalog: Catalog, vm_id: str, period: str) -> DiskPlan | VmRow:
    """The disk of `vm_id` for `period`, or the row with the reason why not. GatewayError when it cannot be read."""
    vm = await read_subject(fleet, vm_id)
    return vm if isinstance(vm, VmRow) else await plan_disk_of(fleet, catalog, vm, period)


async def read_subject(fleet: Fleet, vm_id: str) -> Vm | VmRow:
    """The VM, or the row with the reason why nothing is done for it."""
    if resource_id.parse_vm(vm_id) is None:
        return refused(vm_id[:200], Refusal(MonthReason.NOT_A_VM, "this is not the full resource id of a VM"))
    vm = await fleet.vm(vm_id)
    if vm is None:
        return VmRow(vm_id, SKIP, MonthReason.VM_GONE, "the VM does not exist any more")
    if not vm.own_tags.in_scope:
        refusal = Refusal(MonthReason.NOT_IN_SCOPE, vm.own_tags.why_out_of_scope)
        return refused(vm_id, refusal, current=vm.os_disk_name)
    return vm


async def plan_disk_of(fleet: Fleet, catalog: Catalog, vm: Vm, period: str) -> DiskPlan | VmRow:
    """Like `plan_disk`, for a VM that has been read."""
    failed = first_failed(check_vm(vm))
    if failed is not None:
        return refused(vm.id, failed, current=vm.os_disk_name)
    current = await fleet.disk(vm.os_disk_id) if vm.os_disk_id else None
    refusal = check_os_disk(vm, current)
    if refusal is not None or current is None:
        return refused(vm.id, refusal or Refusal(MonthReason.NO_DISK, ""), current=vm.os_disk_name)
    definition = await _choose_definition(catalog, vm, current)
    if isinstance(definition, Refusal):
        return refused(vm.id, definition, current=vm.os_disk_name)
    version = await catalog.latest(definition, vm.location, vm.edge_zone)
    if isinstance(version, Refusal):
        return refused(vm.id, version, current=vm.os_disk_name)
    return await _find_name(fleet, DiskPlan(vm, current, definition, version, "", ""), period)


async def _choose_definition(catalog: Catalog, vm: Vm, current: Disk) -> Definition | Refusal:
    """The definition for `vm`. GatewayError when a gallery is unread and may have a definition that fits as well.

    A VM whose disk is from the chosen definition goes on with it: it needs nothing from the unread gallery.
    """
    definitions, failure = await catalog.readable_definitions()
    chosen = choose_definition(vm, current, definitions)
    source = resource_id.parse(current.source_version)
    goes_on = not isinstance(chosen, Refusal) and source is not None and resource_id.same(source.parent(), chosen.id)
    if failure is not None and not goes_on:
        raise failure
    return chosen


async def _find_name(fleet: Fleet, plan: DiskPlan, period: str) -> DiskPlan | VmRow:
    vm = plan.vm
    home = resource_id.parse_vm(vm.id)
    assert home is not None, "a VM that was read has a VM's id"  # noqa: S101
    for attempt in range(1, names.MAX_REBUILDS + 1):
        name = names.disk_name(vm.name, period, attempt)
        disk_id = home.sibling(DISK, name)
        existing = await fleet.disk(disk_id)
        if existing is None or is_months_disk(existing, vm, plan.current, plan.version):
            return replace(plan, disk_id=disk_id, name=name, existing=existing)
    message = f"every disk name of {period} up to {name} is taken by another disk; delete those that are not needed"
    return refused(vm.id, Refusal(MonthReason.NO_FREE_NAME, message), current=vm.os_disk_name)


def plan_row(plan: DiskPlan) -> VmRow:
    """A plan as the row that is shown."""
    if plan.existing is None:
        message = f"disk {plan.name} is to be made from {source_of(plan)}{larger_than_current(plan)}"
        return row_of(plan, CREATE, MonthReason.MISSING, message)
    return row_of(plan, SKIP, MonthReason.KEPT, f"disk {plan.name} from {source_of(plan)} exists")


def row_of(plan: DiskPlan, decision: str, reason: MonthReason, message: str) -> VmRow:
    """A row about the VM of a plan."""
    return VmRow(plan.vm.id, decision, reason, message, current=plan.vm.os_disk_name, next=plan.name)


def larger_than_current(plan: DiskPlan) -> str:
    """The end of a row's sentence where the image requires a larger disk than the VM has; else empty."""
    has, gets = plan.current.size_gb, disk_size_gb(plan.current, plan.version)
    if has is None or gets is None or gets == has:
        return ""
    return f" with {gets} GiB, the size of the image; the VM's disk has {has}"


def source_of(plan: DiskPlan) -> str:
    """The version as text: `<definition>/<version>`."""
    found = resource_id.parse(plan.version.id)
    return "/".join(found.names[-2:]) if found else plan.version.name


async def each_vm(
    vm_ids: Sequence[str], work: Callable[[str], Awaitable[VmRow]], *, burst: int, gap_s: float = 0.0
) -> list[dict[str, Any]]:
    """Do `work` for each VM, the first `burst` at once, then one every `gap_s` seconds.

    A failure becomes the VM's row.
    """

    async def alone(vm_id: str) -> dict[str, Any]:
        try:
            return (await work(vm_id)).to_json()
        except GatewayError as error:
            why = describe_refusal(error.code, error.message)
            return VmRow(vm_id, FAILED, MonthReason.NOT_READ, f"the VM could not be read: {why}").to_json()
        except Exception as error:
            # An unexpected error of one VM must not stop the others: its row has the type, the log has the trace.
            _logger.exception("unexpected error while working on %s", vm_id)
            return VmRow(vm_id, FAILED, MonthReason.BROKEN, f"unexpected {type(error).__name__}; see the log").to_json()

    async with asyncio.TaskGroup() as group:
        tasks = []
        for index, vm_id in enumerate(vm_ids):
            if index >= burst:
                await asyncio.sleep(gap_s)
            tasks.append(group.create_task(alone(vm_id)))
    return [task.result() for task in tasks]
