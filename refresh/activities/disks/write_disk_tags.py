"""Activity: writes the month's disk into tag `OsDiskName` of up to 50 VMs, and reads each tag back.

A tag that is written takes six requests (VM, current disk, month's disk, merge, VM again), at the pace of `make_disks`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from refresh import wiring
from refresh.domain.azure import polls
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import NotFound, Refused
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.disks.disk_plans import each_vm
from refresh.reading.disks.tag_plans import DeclinedBy, nothing_declined, plan_tag
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.fleet.vms_and_disks import Fleet
from refresh.reading.images.galleries import Catalog
from refresh.reading.vm_memory import read_vm_memory
from refresh.records.month import CREATE, FAILED, BatchInput, VmRow
from refresh.settings.settings import Settings


async def write_disk_tags(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`BatchInput` to `{"rows": [VmRow]}`; the VMs whose tag was written have the decision `create`.

    `client` is the durable client that the host binds.
    """
    batch = BatchInput.from_json(data)
    state = await read_dispatcher_state(client)
    known = await read_vm_memory(client, batch.vms)

    def declined_by(vm_id: str) -> str | None:
        return known.declined_by(vm_id, state.declined.get(resource_id.id_hash(vm_id)))

    return {"rows": await write_batch(wiring.gateways(), wiring.settings(), batch, declined_by)}


async def write_batch(
    gateways: Gateways, settings: Settings, batch: BatchInput, declined_by: DeclinedBy = nothing_declined
) -> list[dict[str, Any]]:
    """The rows of `batch`, in its order, after the missing tags are written."""
    fleet, catalog = Fleet(gateways), Catalog(gateways, settings.galleries)

    async def write(vm_id: str) -> VmRow:
        row = await plan_tag(fleet, catalog, vm_id, batch.period, force=batch.force, declined=declined_by(vm_id))
        return await write_tag(fleet, row) if row.decision == CREATE else row

    return await each_vm(batch.vms, write, burst=polls.DISK_BURST, gap_s=polls.DISK_GAP_S)


async def write_tag(fleet: Fleet, row: VmRow) -> VmRow:
    """Write the tag of a `create` row; the row with what was read back."""
    name = row.next or ""
    wanted = {tags.OS_DISK_NAME: name}
    try:
        await retry_until_answered(lambda: fleet.gateways.tags.merge_tags(row.vm, wanted), budget_s=BULK_BUDGET_S)
    except (Refused, NotFound) as error:
        why = describe_refusal(error.code, error.message)
        message = f"{tags.OS_DISK_NAME} could not be written: {why}"
        return replace(row, decision=FAILED, reason=MonthReason.AZURE_SAID_NO, message=message)
    vm = await fleet.vm(row.vm)
    if vm is None or vm.own_tags.os_disk_name != name:
        message = f"{tags.OS_DISK_NAME} was written but has another value now; it may have been changed meanwhile"
        return replace(row, decision=FAILED, reason=MonthReason.NOT_VERIFIED, message=message)
    return replace(row, reason=MonthReason.MADE, message=f"{tags.OS_DISK_NAME} names {name} now", wanted=name)
