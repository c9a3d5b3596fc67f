"""Activity: makes the month's disk of up to 50 VMs and reads each back. An existing disk is kept.

Each disk is held against the checks of its swap, before it is made and when it was read back. A disk that is made
takes five requests (VM, current disk, name, PUT, read back), one that exists three, and each activity a few for
definitions and versions, and for rights, locks and VMs of each resource group. Ten such activities at their pace make
five disks a second: 20 of the 25 reads and 5 of the 10 writes that ARM refills each second for a subscription; the rest
is left for swaps:
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

from __future__ import annotations

import asyncio
from typing import Any

from refresh import wiring
from refresh.domain.azure import polls
from refresh.domain.azure.disks import Disk
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.disks.month_disk import is_months_disk
from refresh.domain.disks.new_disk import disk_body
from refresh.domain.terms import resource_id
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import GatewayError, Refused
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.disks.disk_plans import (
    MOVING,
    DiskPlan,
    each_vm,
    larger_than_current,
    plan_disk,
    row_of,
    source_of,
)
from refresh.reading.disks.swap_checks import SwapChecks
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.fleet.vms_and_disks import Fleet
from refresh.reading.images.galleries import Catalog
from refresh.reading.swap.decide_many import Recall
from refresh.reading.swap.holds import recorded_holds
from refresh.reading.swap.preflight_facts import HoldOf
from refresh.reading.vm_memory import read_vm_memory
from refresh.records.month import CREATE, FAILED, SKIP, BatchInput, VmRow, refused
from refresh.settings.settings import Settings
from refresh.views.dispatcher_state import DispatcherView


async def make_disks(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`BatchInput` to `{"rows": [VmRow]}`; `client` is the durable client that the host binds."""
    batch = BatchInput.from_json(data)
    dispatcher = DispatcherView(await read_dispatcher_state(client))
    recall = dispatcher.with_memory(await read_vm_memory(client, batch.vms)).recall
    holds = recorded_holds(client)
    return {"rows": await make_batch(wiring.gateways(), wiring.settings(), batch, recall, holds)}


async def make_batch(
    gateways: Gateways, settings: Settings, batch: BatchInput, recall: Recall, hold_of: HoldOf | None = None
) -> list[dict[str, Any]]:
    """The rows of `batch`, in its order, after the missing disks were made."""
    fleet, catalog = Fleet(gateways), Catalog(gateways, settings.galleries)
    checks = SwapChecks(gateways, settings, recall, force=batch.force, hold_of=hold_of)

    async def make(vm_id: str) -> VmRow:
        plan = await plan_disk(fleet, catalog, vm_id, batch.period)
        return plan if isinstance(plan, VmRow) else await make_disk(fleet, checks, plan, batch.period)

    return await each_vm(batch.vms, make, burst=polls.DISK_BURST, gap_s=polls.DISK_GAP_S)


async def make_disk(fleet: Fleet, checks: SwapChecks, plan: DiskPlan, period: str) -> VmRow:
    """Make the disk of `plan` unless it exists or its swap would be refused, and wait until it was read back."""
    if plan.existing is not None:
        return await _verify(fleet, checks, plan, plan.existing)
    failed = await checks.first_failed_of(plan, period)
    if failed is not None:
        return refused(plan.vm.id, failed, current=plan.vm.os_disk_name)
    body = disk_body(plan.vm, plan.current, plan.definition, plan.version, period)
    try:
        begun = await retry_until_answered(
            lambda: fleet.gateways.disks.begin_create_disk(plan.disk_id, body), budget_s=BULK_BUDGET_S
        )
    except Refused as error:
        # Another run can make the same disk at the same time; that one is kept.
        existing = await fleet.disk(plan.disk_id)
        if existing is None or not is_months_disk(existing, plan.vm, plan.current, plan.version):
            why = describe_refusal(error.code, error.message)
            return row_of(plan, FAILED, MonthReason.AZURE_SAID_NO, f"disk {plan.name} could not be made: {why}")
        return await _verify(fleet, checks, plan, existing)
    except GatewayError as error:
        return row_of(
            plan, FAILED, MonthReason.NOT_READ, f"Azure did not accept the request for disk {plan.name}: {error}"
        )
    row = await _await_disk(fleet, plan, begun.token)
    return row if isinstance(row, VmRow) else await _judge(checks, plan, row, made=True)


async def _verify(fleet: Fleet, checks: SwapChecks, plan: DiskPlan, seen: Disk) -> VmRow:
    """Wait until a disk that another run made is ready, then judge what was read."""
    row = seen if seen.provisioning_state not in MOVING else await _await_disk(fleet, plan, None)
    return row if isinstance(row, VmRow) else await _judge(checks, plan, row, made=False)


async def _await_disk(fleet: Fleet, plan: DiskPlan, token: str | None) -> Disk | VmRow:
    """The disk when its provisioning state is final, or the row with the reason why it was not made."""
    waited_s, pause_s = 0.0, polls.MAKE_DISK.every_s
    while True:
        await asyncio.sleep(pause_s)
        waited_s, pause_s = waited_s + pause_s, polls.MAKE_DISK.next_pause_s(pause_s)
        seen = await fleet.disk(plan.disk_id)
        if seen is None or seen.provisioning_state == "Failed":
            why = await _failure(fleet, plan, token)
            if why is not None:
                return row_of(plan, FAILED, MonthReason.AZURE_SAID_NO, f"disk {plan.name} could not be made: {why}")
        if seen is not None and seen.provisioning_state not in MOVING:
            return seen
        if waited_s >= polls.MAKE_DISK.budget_s:
            state = seen.provisioning_state if seen else "not found"
            message = f"disk {plan.name} is still {state} after {waited_s:.0f} s; run again"
            return row_of(plan, FAILED, MonthReason.TIMED_OUT, message)


async def _failure(fleet: Fleet, plan: DiskPlan, token: str | None) -> str | None:
    """Azure's error for a disk that was not made; only the status URL of its operation has it."""
    if token is None:
        return None
    try:
        progress = await fleet.gateways.compute.operation_progress(plan.vm.id, token)
    except GatewayError:
        return None
    return f"{progress.code}: {progress.message}" if progress.state == "Failed" else None


async def _judge(checks: SwapChecks, plan: DiskPlan, seen: Disk, *, made: bool) -> VmRow:
    """The row of a disk that was read back, compared with the plan; a kept disk can be the VM's OS disk by now."""
    right = is_months_disk(seen, plan.vm, plan.current, plan.version) and seen.provisioning_state == "Succeeded"
    if not right or (made and (seen.disk_state != "Unattached" or seen.managed_by)):
        found = resource_id.parse(seen.source_version)
        origin = "/".join(found.names[-2:]) if found else "no image version"
        message = f"disk {plan.name} is {seen.provisioning_state}, {seen.disk_state}, from {origin}"
        return row_of(plan, FAILED, MonthReason.NOT_VERIFIED, message)
    failed = await checks.first_failed(plan, seen)
    if failed is not None and made:
        message = f"disk {plan.name} was made, and its swap would be refused ({failed.reason}): {failed.message}"
        return row_of(plan, FAILED, MonthReason.NOT_VERIFIED, message)
    if failed is not None:
        return refused(plan.vm.id, failed, current=plan.vm.os_disk_name, next=plan.name)
    if made:
        message = f"disk {plan.name} was made from {source_of(plan)}{larger_than_current(plan)}"
        return row_of(plan, CREATE, MonthReason.MADE, message)
    return row_of(plan, SKIP, MonthReason.KEPT, f"disk {plan.name} from {source_of(plan)} exists")
