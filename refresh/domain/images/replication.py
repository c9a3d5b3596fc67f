"""How far an image version has got, and which one counts as latest for a region.

Decides from what ARM says of versions and their replication. Refuses to know what a version was made from and who
waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.quarantine import is_quarantined
from refresh.domain.terms import names
from refresh.domain.terms.month_reason import MonthReason, Refusal

MOVING = ("Creating", "Updating")


class ReplicationStanding(StrEnum):
    """How far a version is: usable in every region asked for, on its way, or never to be."""

    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """A version's standing and, unless it is done, the reason and sentence that go with it."""

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


def progress_by_region(version: Version) -> dict[str, str]:
    """How far the version is in each region, for people to read."""
    return {
        region.name: "100 %"
        if region.state == "Completed"
        else f"{region.state or 'not begun'} {region.progress or 0} %"
        for region in version.regions
    }


def regions_reached(version: Version) -> tuple[str, ...]:
    """Where the version, read with its replication status, can be used, in the order of their names."""
    return tuple(sorted(names.region_key(region.name) for region in version.regions if region.state == "Completed"))


def rank_versions(versions: Iterable[Version], region: str) -> list[Version]:
    """The versions disks in `region` may be made from as far as a list tells, highest number first.

    Replication is not in a list: each is still to be checked with `is_replicated`. `excludeFromLatest` of the version
    or of the region takes a version out: https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries
    """
    usable = [
        version
        for version in versions
        if version.provisioning_state == "Succeeded"
        and not version.excluded_from_latest
        and not is_quarantined(version)
        and names.version_number(version.name) is not None
        and any(_is(found.name, region) and not found.excluded_from_latest for found in version.regions)
    ]
    return sorted(usable, key=_number, reverse=True)


def is_replicated(version: Version, region: str) -> bool:
    """Whether `version`, read with its replication status, has arrived in `region`."""
    return any(_is(found.name, region) and found.state == "Completed" for found in version.regions)


def no_version(definition: Definition, versions: Iterable[Version], region: str) -> Refusal:
    """Why there is nothing to make a disk in `region` from."""
    newest = max(versions, key=_number, default=None)
    has = f"; newest is {newest.name}" if newest else "; it has no version yet"
    return Refusal(
        MonthReason.NO_VERSION,
        f"no version of {definition.name} is finished, not excluded from latest and replicated to {region}{has}",
    )


def _number(version: Version) -> tuple[int, ...]:
    return names.version_number(version.name) or ()


def _is(name: str, region: str) -> bool:
    return names.region_key(name) == names.region_key(region)
