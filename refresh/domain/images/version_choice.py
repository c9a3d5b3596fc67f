"""The month's version of one image definition: which one to keep or build, or why there is none.

Decides from the definition's versions and the source. Does not know how they were read, whether the source fits
(`source_fit`), how a version is published (`publishing`), when a build is done (`replication`) or which VMs use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.terms import names, tags, times
from refresh.domain.terms.month_reason import MonthReason, Refusal

STUCK_AFTER_S = 24 * 3600.0
"""Replication takes "a few hours" at most; a version that takes longer does not block the next one.

https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery
"""


def find_kept(versions: Iterable[Version], from_source: Callable[[Version], bool], period: str) -> Version | None:
    """The version of `period` to keep: the highest that exists or is being made `from_source`."""
    return _highest(
        version
        for version in versions
        if _in_period(version, period)
        and checks_of(version) != tags.CHECKS_FAILED
        and (
            version.provisioning_state in ("Succeeded", "Updating")
            or (version.provisioning_state == "Creating" and from_source(version))
        )
    )


def find_under_way(versions: Iterable[Version], now: str | None = None) -> Version | None:
    """A version of any period that a build is making or checking now and began less than a day ago."""
    return _highest(version for version in versions if _is_under_way(version) and not _is_old(version, now))


def find_leftovers(versions: Iterable[Version], now: str | None) -> list[Version]:
    """Versions that the app began and that failed or have been unfinished for more than a day."""
    return [
        version
        for version in versions
        if checks_of(version) is not None
        and (version.provisioning_state == "Failed" or (_is_under_way(version) and _is_old(version, now)))
    ]


def checks_of(version: Version) -> str | None:
    """The state of the app's checks of a version; None for a version that the app did not make."""
    return tags.text_of(version.tags, tags.REFRESH_CHECKS).lower() or None


def awaits_checks(version: Version) -> bool:
    """Whether the app excluded the version from latest until its checks have passed, and they are still pending."""
    return version.excluded_from_latest and checks_of(version) == tags.CHECKS_PENDING


def choose_name(
    definition: Definition, versions: Sequence[Version], period: str, now: str | None = None
) -> str | Refusal:
    """The name of the version to build for `period`, or why none can be built now (`now`: ARM's time)."""
    under_way = find_under_way(versions, now)
    if under_way is not None:
        state = under_way.provisioning_state if under_way.provisioning_state == "Creating" else "being checked"
        return Refusal(
            MonthReason.BUILD_UNDER_WAY,
            f"version {under_way.name} of {definition.name} is {state}; run again when it is finished",
        )
    name = names.next_version((version.name for version in versions), period)
    if name is not None:
        return name
    newest = _highest(versions)
    assert newest is not None, "only an existing version can be in the way"  # noqa: S101
    return Refusal(
        MonthReason.NEWER_VERSION,
        f"version {newest.name} of {definition.name} is higher than any of {period}, so new disks would still be made "
        "from it; delete it or build a later period",
    )


def choose_latest(versions: Iterable[Version]) -> Version | None:
    """The version that a source without a number names: the highest finished one not excluded from latest."""
    return _highest(
        version
        for version in versions
        if version.provisioning_state == "Succeeded"
        and not version.excluded_from_latest
        and names.version_number(version.name) is not None
    )


def has_arrived_nowhere(version: Version) -> bool:
    """Whether the app began this version, it failed, and no region has it, so that no disk can be made from it."""
    return (
        version.provisioning_state == "Failed"
        and checks_of(version) == tags.CHECKS_PENDING
        and all(region.state != "Completed" for region in version.regions)
    )


def _is_under_way(version: Version) -> bool:
    if version.provisioning_state == "Creating":
        return True
    return version.provisioning_state in ("Succeeded", "Updating") and awaits_checks(version)


def _is_old(version: Version, now: str | None) -> bool:
    age_s = times.seconds_between(version.published_at, now)
    return age_s is not None and age_s > STUCK_AFTER_S


def _in_period(version: Version, period: str) -> bool:
    number = names.version_number(version.name)
    return number is not None and number[0] == int(period)


def _highest(versions: Iterable[Version]) -> Version | None:
    return max(versions, key=lambda version: names.version_number(version.name) or (-1, -1, -1), default=None)
