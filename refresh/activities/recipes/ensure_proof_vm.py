"""Activity: makes a throw-away VM with a disk from the version to prove, attached like the disk of a swap."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition
from refresh.domain.recipes import temporary_group
from refresh.domain.recipes.build_bodies import nic_body, proof_disk_body, proof_vm_body
from refresh.domain.recipes.build_watch import judge_made
from refresh.domain.terms.month_reason import MonthReason
from refresh.domain.terms.verdict import Move
from refresh.gateways.errors import NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.recipes.stage_calls import LATE, is_too_late, read_machine, retry_briefly, run_stage
from refresh.records.recipes import Stage, StageState, TemporaryGroup


async def ensure_proof_vm(data: dict[str, Any]) -> dict[str, Any]:
    """`TemporaryGroup` to `Stage`: done when the VM is made."""
    gateways, group = wiring.gateways(), TemporaryGroup.from_json(data)
    return (await run_stage(lambda: _ensure(gateways, group), "the VM for the proof")).to_json()


async def _ensure(gateways: Gateways, group: TemporaryGroup) -> Stage:
    standing = judge_made(await read_machine(gateways, temporary_group.vm_id(group.group)))
    if standing.move is not Move.BEGIN:
        state = {Move.DONE: StageState.DONE, Move.FAILED: StageState.FAILED}.get(standing.move, StageState.WAITING)
        # A missing capacity, for example, is not the version's fault: a later run can prove it.
        return Stage(state, MonthReason.AZURE_SAID_NO, standing.message)
    if await is_too_late(gateways, group):
        return LATE
    definition = await retry_briefly(lambda: gateways.gallery.read_definition(group.definition))
    disk = await _disk(gateways, group.group)
    if disk is None:
        body = proof_disk_body(definition, group.version or "")
        await retry_briefly(lambda: gateways.disks.begin_create_disk(temporary_group.disk_id(group.group), body))
        return Stage(StageState.WAITING, message="the disk is being made")
    if disk.provisioning_state == "Failed":
        return Stage(StageState.FAILED, MonthReason.AZURE_SAID_NO, "no disk could be made from the version")
    if disk.provisioning_state != "Succeeded":
        return Stage(StageState.WAITING, message="the disk is being made")
    return await _make(gateways, definition, group, disk)


async def _make(gateways: Gateways, definition: Definition, group: TemporaryGroup, disk: Disk) -> Stage:
    nic = nic_body(group.location, group.subnet)
    await retry_briefly(lambda: gateways.temporary_groups.put_nic(temporary_group.nic_id(group.group), nic))
    body = proof_vm_body(definition, group.group, disk.plan)
    await retry_briefly(lambda: gateways.temporary_groups.begin_create_vm(temporary_group.vm_id(group.group), body))
    return Stage(StageState.WAITING, message="the VM is being made")


async def _disk(gateways: Gateways, group: str) -> Disk | None:
    try:
        return await retry_briefly(lambda: gateways.disks.read_disk(temporary_group.disk_id(group)))
    except NotFound:
        return None
