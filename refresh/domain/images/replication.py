"""How far an image version is replicated, and which version is the latest for a region.

Decides from the states that ARM shows of versions and their replication. Does not know what a version was made from or
which run waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.quarantine import is_quarantined
from refresh.domain.terms import names, tags
from refresh.domain.terms.month_reason import MonthReason, Refusal

MOVING = ("Creating", "Updating")


class ReplicationStanding(StrEnum):
    """Whether a version is usable in every requested region, not yet, or never."""

    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """A version's standing and, unless it is done, its reason and sentence."""

    standing: ReplicationStanding
    reason: MonthReason = MonthReason.MADE
    message: str = ""


def judge_version(version: Version, regions: Iterable[str]) -> Progress:
    """Whether `version` (read with its replication status) can be used in all of `regions`."""
    if version.provisioning_state in MOVING:
        return Progress(
            ReplicationStanding.WAITING, MonthReason.TIMED_OUT, f"version {version.name} is still being made"
        )
    if version.provisioning_state != "Succeeded":
        return _judge_failed(version)
    states = {names.region_key(region.name): region.state for region in version.regions}
    missing = [name for name in regions if states.get(names.region_key(name), "Failed") == "Failed"]
    pending = [name for name in regions if name not in missing and states[names.region_key(name)] != "Completed"]
    if pending:
        message = f"version {version.name} is not replicated yet to {', '.join(pending)}"
        return Progress(ReplicationStanding.WAITING, MonthReason.NOT_REPLICATED, message)
    if missing:
        message = f"version {version.name} is not replicated to {', '.join(missing)}; add them to its target regions"
        return Progress(ReplicationStanding.FAILED, MonthReason.NOT_REPLICATED, message)
    return Progress(ReplicationStanding.DONE)


def _judge_failed(version: Version) -> Progress:
    state = version.provisioning_state or "in an unknown state"
    failed = [region for region in version.regions if region.state == "Failed"]
    arrived = regions_reached(version)
    if not failed or not arrived:
        return Progress(ReplicationStanding.FAILED, MonthReason.BUILD_FAILED, f"version {version.name} is {state}")
    where = ", ".join(f"{region.name} ({region.details or 'no details'})" for region in failed)
    message = f"version {version.name} is {state}: it did not arrive in {where}; it has in {', '.join(arrived)}"
    return Progress(ReplicationStanding.FAILED, MonthReason.NOT_REPLICATED, message)


def is_usable_in_part(version: Version) -> bool:
    """Whether a version (read with its replication status) that does not become complete can be used where it is.

    It can be changed, and its own region has it: that region must stay among its targets.
    """
    return version.provisioning_state in ("Succeeded", "Failed") and is_replicated(version, version.location)


def targets_without_failed(version: Version) -> tuple[Mapping[str, Any], ...]:
    """The target regions without those where replication has failed, the version's own always among them.

    Azure advises to remove failed regions in an update: https://github.com/Azure/azure-cli/issues/15539
    """
    failed = {names.region_key(region.name) for region in version.regions if region.state == "Failed"}
    failed.discard(names.region_key(version.location))
    return tuple(one for one in version.targets if names.region_key(str(one.get("name", ""))) not in failed)


def progress_by_region(version: Version) -> dict[str, str]:
    """How far the version is in each region, as text for people."""
    return {
        region.name: "100 %"
        if region.state == "Completed"
        else f"{region.state or 'not begun'} {region.progress or 0} %"
        for region in version.regions
    }


def regions_reached(version: Version) -> tuple[str, ...]:
    """The regions where the version, read with its replication status, can be used, in the order of their names."""
    return tuple(sorted(names.region_key(region.name) for region in version.regions if region.state == "Completed"))


def rank_versions(versions: Iterable[Version], region: str, edge_zone: str | None = None) -> list[Version]:
    """The versions from which disks in `region` can be made as far as a list shows, highest number first.

    With `edge_zone` only those that have it among their target edge zones.

    A list has no replication status: the caller checks each with `is_replicated`. A version to which regions are being
    added, or could not be added, stays usable where it is. `excludeFromLatest` of the version or
    of the region excludes a version: https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries
    """
    usable = [
        version
        for version in versions
        if _is_settled(version)
        and not version.excluded_from_latest
        and not is_quarantined(version)
        and names.version_number(version.name) is not None
        and any(_is(found.name, region) and not found.excluded_from_latest for found in version.regions)
        and (edge_zone is None or _reaches(version, region, edge_zone))
    ]
    return sorted(usable, key=_number, reverse=True)


def _is_settled(version: Version) -> bool:
    if version.provisioning_state == "Failed":
        return tags.text_of(version.tags, tags.REFRESH_CHECKS).lower() == tags.CHECKS_PASSED
    return version.provisioning_state in ("Succeeded", "Updating")


def is_replicated(version: Version, region: str) -> bool:
    """Whether `version`, read with its replication status, is replicated to `region`."""
    return any(_is(found.name, region) and found.state == "Completed" for found in version.regions)


def no_version(
    definition: Definition, versions: Iterable[Version], region: str, edge_zone: str | None = None
) -> Refusal:
    """Why there is no version from which a disk in `region` (and in `edge_zone` of it) can be made."""
    newest = max(versions, key=_number, default=None)
    has = f"; newest is {newest.name}" if newest else "; it has no version yet"
    where = f"edge zone {edge_zone} of {region} (targetExtendedLocations)" if edge_zone else region
    return Refusal(
        MonthReason.NO_VERSION,
        f"no version of {definition.name} is finished, not excluded from latest and replicated to {where}{has}",
    )


def _reaches(version: Version, region: str, edge_zone: str) -> bool:
    # Azure does not document how the replication status shows edge zones: a settled version counts as arrived.
    return any(_is(name, region) and names.same_edge_zone(edge, edge_zone) for name, edge in version.edge_zones)


def _number(version: Version) -> tuple[int, ...]:
    return names.version_number(version.name) or ()


def _is(name: str, region: str) -> bool:
    return names.region_key(name) == names.region_key(region)
