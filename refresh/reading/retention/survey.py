"""Every fact that retention needs, read again from ARM's lists: all or nothing.

Decides what is read. A page that cannot be read stops every deletion, because the tag of an unread VM can name any
disk. Leaves the judgement to `domain.retention`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.locks import Lock
from refresh.domain.azure.polls import BULK_BUDGET_S, BULK_LIST_LIMIT_S
from refresh.domain.azure.vms import Vm
from refresh.domain.retention.disks import Evidence, Rule, is_ours, judge_disk, rank_spares
from refresh.domain.retention.mentions import read_mentions
from refresh.domain.retention.prices import disk_usd, version_usd
from refresh.domain.retention.removal_reason import RemovalReason, RemovalVerdict
from refresh.domain.retention.versions import (
    Catalogue,
    Needs,
    find_needs,
    is_called_ours,
    judge_version,
    needed_disks,
    version_evidence,
)
from refresh.domain.terms import resource_id, tags
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.subscription_lists import list_disks, list_subscriptions, list_vms
from refresh.reading.images.galleries import Catalog
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.retention import DELETE, DISK, KEEP, VERSION, ResourceRow
from refresh.settings.settings import Settings

_log = logging.getLogger(__name__)

# Whether a build or a proof of a definition (its id) is under way.
type Building = Callable[[str], bool]


@dataclass(frozen=True)
class DiskSurvey:
    """Disks made from the configured galleries (by lower-case id), with every fact for a judgement on them."""

    subscriptions: Sequence[str]
    disks: Mapping[str, Disk]
    evidence: Evidence
    ranks: Mapping[str, int]
    definitions: Sequence[Definition]

    def judge(self, disk: Disk) -> RemovalVerdict:
        """Whether `disk` can be deleted."""
        return _judged(disk.id, lambda: judge_disk(disk, self.evidence, self.ranks))


@dataclass(frozen=True)
class VersionSurvey:
    """The definitions in the monthly build with their versions, and every fact for a judgement on those."""

    catalogues: tuple[Catalogue, ...]
    needs: Needs
    evidence: Evidence

    def judge(self, version: Version, catalogue: Catalogue) -> RemovalVerdict:
        """Whether `version`, one of `catalogue`, can be deleted."""
        return _judged(version.id, lambda: judge_version(version, catalogue, self.needs, self.evidence))


def _judged(resource: str, judge: Callable[[], RemovalVerdict]) -> RemovalVerdict:
    """The verdict on a resource; one on which the app fails stays, and does not end the judgement on the others."""
    try:
        return judge()
    except Exception as error:
        _log.exception("unexpected error about %s", resource)
        return RemovalVerdict(RemovalReason.BROKEN, f"unexpected {type(error).__name__}; see the log")


async def survey_disks(gateways: Gateways, settings: Settings, state: DispatcherState) -> DiskSurvey:
    """All disks from the galleries, all tags of VMs and definitions, all locks. Raises GatewayError if one fails."""
    subscriptions = await list_subscriptions(gateways)
    disks = await list_disks(gateways, subscriptions, budget_s=BULK_BUDGET_S, limit_s=BULK_LIST_LIMIT_S)
    # Read after the disks: a tag written meanwhile counts, and a disk made meanwhile is not judged.
    vms = await list_vms(gateways, subscriptions, budget_s=BULK_BUDGET_S, limit_s=BULK_LIST_LIMIT_S)
    definitions = await Catalog(gateways, settings.galleries).definitions()
    galleries = frozenset(gallery.lower() for gallery in settings.galleries)
    evidence = Evidence(
        galleries=galleries,
        mentions=read_mentions(owners_of(vms.values(), definitions), state.json),
        locks=await _read_locks(gateways, [f"/subscriptions/{one}" for one in subscriptions]),
        rule=Rule(settings.keep_disks, settings.keep_disks_days),
        now=await retry_until_answered(gateways.clock.now, budget_s=BULK_BUDGET_S),
    )
    ours = {key: disk for key, disk in disks.items() if is_ours(disk, galleries)}
    return DiskSurvey(subscriptions, ours, evidence, rank_spares(ours.values(), galleries), definitions)


async def survey_versions(
    gateways: Gateways, settings: Settings, found: DiskSurvey, building: Building, *, deletable: Collection[str]
) -> VersionSurvey:
    """Every version of the definitions in the monthly build, and what needs them. Raises GatewayError if one is unread.

    A version with a name of the app costs one GET, because no list has its replication status. `deletable` are disks
    (lower-case ids) that will be deleted before.
    """
    catalog = Catalog(gateways, settings.galleries)
    catalogues = []
    for definition in found.definitions:
        if tags.is_true(tags.value_of(definition.tags, tags.AUTO_REFRESH)):
            versions = await catalog.versions(definition.id)
            read = [await read_version(gateways, one.id) if is_called_ours(one) else one for one in versions]
            catalogues.append(Catalogue(definition, tuple(read), building(definition.id)))
    texts = {
        f"{tag} of {definition.name}": value
        for definition in found.definitions
        for tag, value in definition.tags.items()
    }
    evidence = version_evidence(
        found.evidence.galleries,
        await _read_locks(gateways, settings.galleries),
        Rule(settings.keep_versions, settings.keep_versions_days),
        found.evidence,
    )
    needs = find_needs(catalogues, needed_disks(found.disks.values(), deletable), texts)
    return VersionSurvey(tuple(catalogues), needs, evidence)


async def read_version(gateways: Gateways, version_id: str) -> Version:
    """One version with its replication status. Raises GatewayError."""
    return await retry_until_answered(lambda: gateways.gallery.read_version(version_id), budget_s=BULK_BUDGET_S)


def owners_of(vms: Iterable[Vm], definitions: Iterable[Definition]) -> Iterable[tuple[str, Mapping[str, str]]]:
    """The owners of tags that can name a disk: every VM, and image definitions, whose source can be a disk."""
    for vm in vms:
        yield f"VM {vm.name}", vm.tags
    for definition in definitions:
        yield f"image definition {definition.name}", definition.tags


async def survey_all(
    gateways: Gateways, settings: Settings, state: DispatcherState, open_runs: Collection[str]
) -> tuple[DiskSurvey, VersionSurvey]:
    """Both surveys, for a plan. Raises GatewayError if anything is unread."""
    disks = await survey_disks(gateways, settings, state)
    deletable = {key for key, disk in disks.disks.items() if disks.judge(disk).deletable}
    versions = await survey_versions(gateways, settings, disks, building_among(open_runs), deletable=deletable)
    return disks, versions


def rows_of(disks: DiskSurvey, versions: VersionSurvey) -> list[ResourceRow]:
    """The decision on every surveyed disk and version, without the disks that VMs use."""
    rows = [disk_row(disk, disks.judge(disk)) for disk in disks.disks.values() if not is_in_use(disk)]
    rows += [
        version_row(version, versions.judge(version, catalogue))
        for catalogue in versions.catalogues
        for version in catalogue.versions
    ]
    return rows


def is_in_use(disk: Disk) -> bool:
    """Whether a VM has the disk."""
    return disk.managed_by is not None or bool(disk.shared_by)


def disk_row(disk: Disk, verdict: RemovalVerdict) -> ResourceRow:
    """A verdict on a disk as the row of a result."""
    decision = DELETE if verdict.deletable else KEEP
    return ResourceRow(DISK, disk.id, decision, verdict.reason, verdict.message, disk.size_gb, disk_usd(disk))


def version_row(version: Version, verdict: RemovalVerdict) -> ResourceRow:
    """A verdict on an image version as the row of a result."""
    decision, size_gb = DELETE if verdict.deletable else KEEP, version.os_disk_size_gb
    return ResourceRow(VERSION, version.id, decision, verdict.reason, verdict.message, size_gb, version_usd(version))


def building_among(run_ids: Collection[str]) -> Building:
    """Whether one of these runs (instance ids) builds a definition: the id of a build has the definition's hash."""
    return lambda definition: any(resource_id.id_hash(definition) in run for run in run_ids)


async def _read_locks(gateways: Gateways, scopes: Sequence[str]) -> list[Lock]:
    found: list[Lock] = []
    for scope in scopes:
        found += await retry_until_answered(partial(gateways.access.list_locks, scope), budget_s=BULK_BUDGET_S)
    return found
