"""Which image versions are no longer needed, and why each of the others stays.

Decides that the latest good version of every region stays, whatever its age, and so does every version that is a
source, that a free disk was made from, or that is being built or proved. Only versions with a name that the app gives
can be deleted. Does not know how the facts were read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.locks import Lock
from refresh.domain.azure.quarantine import is_quarantined
from refresh.domain.images.replication import is_replicated
from refresh.domain.retention.disks import Evidence, Rule, judge_age, lock_on
from refresh.domain.retention.removal_reason import RemovalReason, RemovalVerdict
from refresh.domain.terms import names, tags

_SETTLED = ("Succeeded", "Failed", "Canceled")


@dataclass(frozen=True)
class Catalogue:
    """An image definition with all its versions; those with a name of the app are read with replication status.

    `building` is whether a build or a proof of it is under way.
    """

    definition: Definition
    versions: tuple[Version, ...]
    building: bool = False


@dataclass(frozen=True)
class Needs:
    """What needs image versions.

    `sources` maps a lower-case text that names a source to the owner of the text; `disks` maps the lower-case id of a
    version to the name of a disk that was made from it.
    """

    sources: Mapping[str, str]
    disks: Mapping[str, str]

    def builder_of(self, version: Version) -> str | None:
        """The owner of the source that names `version`; None when no source does."""
        named = re.compile(re.escape(version.id.lower()) + r"(?![0-9.])")
        return next((owner for text, owner in self.sources.items() if named.search(text)), None)


def find_needs(catalogues: Iterable[Catalogue], staying: Iterable[Disk], texts: Mapping[str, str]) -> Needs:
    """What needs versions: builds under way, `texts` (owner to its `RefreshSource`) and disks that stay.

    A disk that is being made is copied from its version. A free disk can be swapped in only while its version can be
    read, because only the version shows whether it is quarantined.
    """
    sources = {text.lower(): owner for owner, text in texts.items()}
    for catalogue in catalogues:
        for version in catalogue.versions:
            if version.provisioning_state not in _SETTLED and version.source_id:
                sources.setdefault(version.source_id.lower(), f"version {version.name} of {catalogue.definition.name}")
    disks = {(disk.source_version or "").lower(): disk.name for disk in staying}
    return Needs(sources, disks)


def is_called_ours(version: Version) -> bool:
    """Whether the version's name is one the app gives (`YYYYMM.N.0`)."""
    number = names.version_number(version.name)
    return number is not None and names.is_period(f"{number[0]}")


def is_good(version: Version) -> bool:
    """Whether disks can be made from the version: succeeded, not excluded from latest, not quarantined."""
    return (
        version.provisioning_state == "Succeeded" and not version.excluded_from_latest and not is_quarantined(version)
    )


def judge_version(version: Version, catalogue: Catalogue, needs: Needs, evidence: Evidence) -> RemovalVerdict:
    """Whether `version`, one of `catalogue`, can be deleted; `evidence.rule` is the rule of versions."""
    reason = RemovalReason
    if not is_called_ours(version):
        return RemovalVerdict(reason.NAME_NOT_OURS, "its name is not YYYYMM.N.0, so the app did not make it")
    if catalogue.building:
        return RemovalVerdict(reason.BUILD_UNDER_WAY, f"a build or a proof of {catalogue.definition.name} is under way")
    if tags.text_of(version.tags, tags.REFRESH_CHECKS).lower() == tags.CHECKS_PENDING:
        return RemovalVerdict(reason.BUILD_UNDER_WAY, f"its checks are pending (tag {tags.REFRESH_CHECKS})")
    if version.provisioning_state not in _SETTLED:
        return RemovalVerdict(
            reason.NOT_SETTLED, f"its provisioning state is {version.provisioning_state or 'unknown'}"
        )
    if (lock := lock_on(version.id, evidence.locks)) is not None:
        return RemovalVerdict(reason.LOCKED, lock)
    if (builder := needs.builder_of(version)) is not None:
        return RemovalVerdict(reason.IS_SOURCE, f"{builder} is built from it")
    if (disk := needs.disks.get(version.id.lower())) is not None:
        return RemovalVerdict(reason.DISKS_LEFT, f"disk {disk}, free or being made, was made from it")
    if (region := _served_alone(version, catalogue.versions)) is not None:
        return RemovalVerdict(reason.LATEST_GOOD, f"no newer good version is replicated to {region}")
    if is_good(version) and len(_newer_good(version, catalogue.versions)) < evidence.rule.keep:
        return RemovalVerdict(reason.AMONG_NEWEST, f"it is among the {evidence.rule.keep} newest good versions")
    young = judge_age(version.published_at, evidence, "published")
    return young or RemovalVerdict(
        reason.SUPERFLUOUS, f"over {evidence.rule.days} days old, and newer versions replace it"
    )


def needed_disks(disks: Iterable[Disk], deletable: Collection[str]) -> list[Disk]:
    """The disks that still need their versions: free or being made, and not `deletable` (lower-case ids).

    The disk that a VM runs is complete, and a swap back to a disk that the VM ran does not read its version.
    """
    rest = (disk for disk in disks if disk.managed_by is None or disk.provisioning_state != "Succeeded")
    return [disk for disk in rest if disk.id.lower() not in deletable]


def version_evidence(galleries: Collection[str], locks: Sequence[Lock], rule: Rule, evidence: Evidence) -> Evidence:
    """The evidence for versions: that for disks with the locks and the rule of versions."""
    return Evidence(galleries, evidence.mentions, locks, rule, evidence.now)


def _newer_good(version: Version, versions: Iterable[Version]) -> list[Version]:
    number = names.version_number(version.name) or (-1, -1, -1)
    return [each for each in versions if is_good(each) and (names.version_number(each.name) or (-1,)) > number]


def _served_alone(version: Version, versions: Sequence[Version]) -> str | None:
    """A region where this version is the latest good one that is replicated; None when there is none."""
    if not is_good(version):
        return None
    newer = _newer_good(version, versions)
    for region in version.regions:
        if not any(_serves(each, region.name) for each in newer):
            return region.name
    return None


def _serves(version: Version, region: str) -> bool:
    key = names.region_key(region)
    passed_by = {names.region_key(found.name) for found in version.regions if found.excluded_from_latest}
    return is_replicated(version, region) and key not in passed_by
