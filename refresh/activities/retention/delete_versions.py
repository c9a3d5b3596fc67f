"""Activity: begins to delete up to 20 image versions, each only after it was judged again on new reads.

All lists are read again for the batch; then each version with its replication, and the locks on it and above it, right
before its deletion. This is the only code of the app that deletes a finished image version.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from refresh import wiring
from refresh.domain.azure.galleries import Version
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.retention.prices import version_usd
from refresh.domain.retention.removal_reason import RemovalReason
from refresh.domain.retention.versions import Catalogue
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.retention.survey import VersionSurvey, read_version, survey_disks, survey_versions, version_row
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.retention import DELETED, DELETING, FAILED, VERSION, DeletionInput, ResourceRow
from refresh.settings.settings import Settings

_log = logging.getLogger(__name__)


async def delete_versions(data: dict[str, Any]) -> dict[str, Any]:
    """`DeletionInput` to `{"rows": [ResourceRow]}`: `deleting` was accepted, `keep` has a new reason."""
    return {"rows": await begin_batch(wiring.gateways(), wiring.settings(), DeletionInput.from_json(data))}


async def begin_batch(gateways: Gateways, settings: Settings, deletion: DeletionInput) -> list[dict[str, Any]]:
    """The rows of `deletion`, in its order, after the deletion of every version that can still be deleted has begun."""
    building = {one.lower() for one in deletion.building}
    try:
        disks = await survey_disks(gateways, settings, DispatcherState())
        # The planned disks are deleted by now: every disk that still exists counts.
        survey = await survey_versions(gateways, settings, disks, lambda one: one.lower() in building, deletable=())
    except GatewayError as error:
        why = describe_refusal(error.code, error.message)
        message = f"not everything could be read again, so it was not deleted: {why}"
        return [ResourceRow(VERSION, one, FAILED, RemovalReason.NOT_READ, message).to_json() for one in deletion.ids]
    homes = {version.id.lower(): each for each in survey.catalogues for version in each.versions}
    return [(await _row_of(gateways, survey, homes, one)).to_json() for one in deletion.ids]


async def _row_of(
    gateways: Gateways, survey: VersionSurvey, homes: Mapping[str, Catalogue], version_id: str
) -> ResourceRow:
    try:
        return await retry_until_answered(lambda: _begin(gateways, survey, homes, version_id), budget_s=BULK_BUDGET_S)
    except NotFound:
        return ResourceRow(VERSION, version_id, DELETED, RemovalReason.DELETED, "it is gone")
    except GatewayError as error:
        why = describe_refusal(error.code, error.message)
        return ResourceRow(VERSION, version_id, FAILED, RemovalReason.AZURE_SAID_NO, f"it was not deleted: {why}")
    except Exception as error:
        _log.exception("the deletion of %s raised an unexpected error", version_id)
        message = f"unexpected {type(error).__name__}; see the log"
        return ResourceRow(VERSION, version_id, FAILED, RemovalReason.BROKEN, message)


async def _begin(
    gateways: Gateways, survey: VersionSurvey, homes: Mapping[str, Catalogue], version_id: str
) -> ResourceRow:
    version = await read_version(gateways, version_id)
    if version.provisioning_state == "Deleting":
        return _deleting(version)
    home = homes.get(version_id.lower())
    if home is None:
        message = "its definition is not in the monthly build any more, or could not be found"
        return ResourceRow(VERSION, version_id, FAILED, RemovalReason.NOT_READ, message)
    others = tuple(one for one in home.versions if one.id.lower() != version_id.lower())
    locks = [*survey.evidence.locks, *await gateways.access.list_locks(version_id)]
    fresh = dataclasses.replace(survey, evidence=dataclasses.replace(survey.evidence, locks=locks))
    verdict = fresh.judge(version, dataclasses.replace(home, versions=(*others, version)))
    if not verdict.deletable:
        return version_row(version, verdict)
    await gateways.gallery.begin_delete_version(version.id)
    return _deleting(version)


def _deleting(version: Version) -> ResourceRow:
    message, size_gb = "newer versions replace it", version.os_disk_size_gb
    usd = version_usd(version)
    return ResourceRow(VERSION, version.id, DELETING, RemovalReason.SUPERFLUOUS, message, size_gb, usd)
