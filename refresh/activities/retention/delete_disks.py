"""Activity: deletes up to 20 disks, each only after every reason to keep it was checked again.

All lists are read again for the batch; then for each disk, right before its deletion, the disk, the locks on it and
above it, and the tags of the VMs in its group. After that Azure refuses to delete a disk that is attached or locked.
This is the only code of the app that deletes a disk.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from refresh import wiring
from refresh.domain.azure import polls
from refresh.domain.azure.disks import Disk
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.azure.vms import Vm
from refresh.domain.retention.mentions import Mentions, read_mentions
from refresh.domain.retention.prices import disk_usd
from refresh.domain.retention.removal_reason import RemovalReason, RemovalVerdict
from refresh.domain.terms import resource_id
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import collect
from refresh.reading.retention.survey import DiskSurvey, disk_row, owners_of, survey_disks
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.retention import DELETED, DISK, FAILED, DeletionInput, ResourceRow
from refresh.settings.settings import Settings

_log = logging.getLogger(__name__)


async def delete_disks(data: dict[str, Any]) -> dict[str, Any]:
    """`DeletionInput` to `{"rows": [ResourceRow]}`: `deleted` was read back as gone, `keep` has a new reason."""
    return {"rows": await delete_batch(wiring.gateways(), wiring.settings(), DeletionInput.from_json(data))}


async def delete_batch(gateways: Gateways, settings: Settings, deletion: DeletionInput) -> list[dict[str, Any]]:
    """The rows of `deletion`, in its order, after every disk that can still be deleted is deleted."""
    try:
        survey = await survey_disks(gateways, settings, DispatcherState())
    except GatewayError as error:
        why = describe_refusal(error.code, error.message)
        message = f"not everything could be read again, so it was not deleted: {why}"
        return [ResourceRow(DISK, one, FAILED, RemovalReason.NOT_READ, message).to_json() for one in deletion.ids]
    held = {resource_id.id_hash(one): why for one, why in (deletion.held or {}).items()}
    rereader = _Rereader(gateways, survey, held, settings.disk_groups)
    return [(await _row_of(gateways, rereader, disk_id)).to_json() for disk_id in deletion.ids]


@dataclass(frozen=True)
class _Rereader:
    """What was read for the whole batch, and how the facts around one disk are read again.

    `held` maps hashes of disks that the dispatcher state names to the reason; `open_groups` are groups (lower-case ids)
    whose disks the tags of VMs in other groups can name too.
    """

    gateways: Gateways
    survey: DiskSurvey
    held: Mapping[str, str]
    open_groups: Collection[str]

    async def judge(self, disk: Disk) -> RemovalVerdict:
        """Whether `disk`, read just now, can be deleted at this moment. Raises GatewayError."""
        known, nearby = self.survey.evidence.mentions, read_mentions(owners_of(await self._neighbours(disk), ()), {})
        evidence = dataclasses.replace(
            self.survey.evidence,
            mentions=Mentions({**known.tagged, **nearby.tagged}, known.at_work, self.held),
            locks=[*self.survey.evidence.locks, *await self.gateways.access.list_locks(disk.id)],
        )
        return dataclasses.replace(self.survey, evidence=evidence).judge(disk)

    async def _neighbours(self, disk: Disk) -> list[Vm]:
        """The VMs whose tags can name this disk."""
        compute, home = self.gateways.compute, resource_id.parse(disk.id)
        if home is not None and home.group_key not in self.open_groups:
            return await collect(compute.list_group_vms(home.group_id))
        return [vm for one in self.survey.subscriptions for vm in await collect(compute.list_vms(one))]


async def _row_of(gateways: Gateways, rereader: _Rereader, disk_id: str) -> ResourceRow:
    """One disk's row; a failure stops no other disk."""
    try:
        # A retry begins with the read: a VM can have the disk by then.
        return await retry_until_answered(lambda: _delete(gateways, rereader, disk_id), budget_s=BULK_BUDGET_S)
    except GatewayError as error:
        why = describe_refusal(error.code, error.message)
        return ResourceRow(DISK, disk_id, FAILED, RemovalReason.AZURE_SAID_NO, f"it was not deleted: {why}")
    except Exception as error:
        _log.exception("the deletion of %s raised an unexpected error", disk_id)
        message = f"unexpected {type(error).__name__}; see the log"
        return ResourceRow(DISK, disk_id, FAILED, RemovalReason.BROKEN, message)


async def _delete(gateways: Gateways, rereader: _Rereader, disk_id: str) -> ResourceRow:
    disk = await _read(gateways, disk_id)
    if disk is None:
        return _gone(disk_id, rereader.survey.disks.get(disk_id.lower()))
    if disk.provisioning_state != "Deleting":
        verdict = await rereader.judge(disk)
        if not verdict.deletable:
            return disk_row(disk, verdict)
        await gateways.disks.begin_delete_disk(disk.id)
    return await _await_gone(gateways, disk)


async def _await_gone(gateways: Gateways, disk: Disk) -> ResourceRow:
    waited_s, pause_s = 0.0, polls.DELETE_DISK.every_s
    while waited_s < polls.DELETE_DISK.budget_s:
        await asyncio.sleep(pause_s)
        waited_s, pause_s = waited_s + pause_s, polls.DELETE_DISK.next_pause_s(pause_s)
        seen = await retry_until_answered(lambda: _read(gateways, disk.id), budget_s=BULK_BUDGET_S)
        if seen is None:
            return _gone(disk.id, disk)
        if seen.provisioning_state not in ("Deleting", "Updating") and waited_s > 5.0:
            break
    message = f"Azure accepted the deletion but the disk still exists after {waited_s:.0f} s; the next run tries again"
    return ResourceRow(DISK, disk.id, FAILED, RemovalReason.TIMED_OUT, message, disk.size_gb)


def _gone(disk_id: str, disk: Disk | None) -> ResourceRow:
    size_gb, usd = (disk.size_gb, disk_usd(disk)) if disk is not None else (None, None)
    return ResourceRow(DISK, disk_id, DELETED, RemovalReason.DELETED, "it was free and not needed", size_gb, usd)


async def _read(gateways: Gateways, disk_id: str) -> Disk | None:
    try:
        return await gateways.disks.read_disk(disk_id)
    except NotFound:
        return None
