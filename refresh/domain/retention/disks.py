"""Which disks made from the configured galleries are no longer needed, and why each of the others stays.

Decides from facts that only ARM can change: the source of a disk, its owner, when it was made and last attached, its
name. The disk's own tags decide nothing. An unknown fact keeps the disk. Does not know how the facts were read or when
the disk is deleted; the same function judges the list and each disk right before its deletion.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.locks import Lock
from refresh.domain.retention.mentions import Mentions
from refresh.domain.retention.removal_reason import RemovalReason, RemovalVerdict
from refresh.domain.terms import names, resource_id, times

_DAY_S = 86400.0
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Rule:
    """How many of the newest are kept whatever their age, and from how many days of age the others can be deleted."""

    keep: int
    days: int


@dataclass(frozen=True)
class Evidence:
    """The facts beside the disk itself; `galleries` are lower-case ids, `now` is ARM's time (ISO)."""

    galleries: Collection[str]
    mentions: Mentions
    locks: Sequence[Lock]
    rule: Rule
    now: str


def is_ours(disk: Disk, galleries: Collection[str]) -> bool:
    """Whether the disk's immutable `creationData` names an image version of one of `galleries` (lower-case ids)."""
    found = resource_id.parse(disk.source_version)
    return found is not None and found.type == resource_id.VERSION_TYPE and found.parent(2).lower() in galleries


def rank_spares(disks: Iterable[Disk], galleries: Collection[str]) -> dict[str, int]:
    """How many newer free disks the same VM has, for every free disk from `galleries`, by lower-case id.

    The disk's name names its VM; Azure cannot rename a disk.
    """
    by_vm: dict[tuple[str, str], list[Disk]] = {}
    for disk in disks:
        if is_ours(disk, galleries) and is_free(disk) and (key := _vm_of(disk)) is not None:
            by_vm.setdefault(key, []).append(disk)
    ranks: dict[str, int] = {}
    for spares in by_vm.values():
        spares.sort(key=lambda disk: (times.parse(disk.time_created) or _NEVER, disk.name), reverse=True)
        ranks.update({disk.id.lower(): rank for rank, disk in enumerate(spares)})
    return ranks


def is_free(disk: Disk) -> bool:
    """Whether the disk is complete, unattached and without an owner."""
    owned = disk.managed_by is not None or bool(disk.shared_by)
    return disk.disk_state == "Unattached" and not owned and disk.provisioning_state == "Succeeded"


def judge_disk(disk: Disk, evidence: Evidence, ranks: Mapping[str, int]) -> RemovalVerdict:
    """Whether `disk` may be deleted; `ranks` are those of `rank_spares` for all disks."""
    reason = RemovalReason
    if not is_ours(disk, evidence.galleries):
        return RemovalVerdict(reason.NOT_FROM_OURS, "it was made from no image version of a configured gallery")
    if disk.managed_by is not None or disk.shared_by or disk.disk_state != "Unattached":
        return RemovalVerdict(reason.IN_USE, f"it is {disk.disk_state or 'in an unknown state'}{_of_owner(disk)}")
    if disk.provisioning_state != "Succeeded":
        return RemovalVerdict(reason.NOT_SETTLED, f"its provisioning state is {disk.provisioning_state or 'unknown'}")
    if _vm_of(disk) is None:
        return RemovalVerdict(reason.NAME_NOT_OURS, "its name is not <vm>-<yyyymm>, so the app did not make it")
    if (lock := lock_on(disk.id, evidence.locks)) is not None:
        return RemovalVerdict(reason.LOCKED, lock)
    if (tag := evidence.mentions.by_tag(disk.name)) is not None:
        return RemovalVerdict(reason.NAMED_BY_TAG, f"{tag} names it")
    if (why := evidence.mentions.by_dispatcher(disk.id, disk.name)) is not None:
        return RemovalVerdict(reason.REMEMBERED, f"it is {why}")
    young = judge_age(disk.time_created, evidence, "made")
    if young is not None:
        return young
    # ARM shows no last change for a disk that has never been attached.
    if disk.owned_since is not None:
        recent = judge_age(disk.owned_since, evidence, "attached, detached, started or stopped with its VM")
        if recent is not None:
            return (
                recent
                if recent.reason is reason.UNKNOWN_AGE
                else RemovalVerdict(reason.RECENTLY_IN_USE, recent.message)
            )
    rank = ranks.get(disk.id.lower())
    if rank is None or rank < evidence.rule.keep:
        return RemovalVerdict(reason.AMONG_NEWEST, f"it is among the {evidence.rule.keep} newest spare disks of its VM")
    return RemovalVerdict(
        reason.SUPERFLUOUS, f"free, over {evidence.rule.days} days old, and {rank} spare disks are newer"
    )


def judge_age(since: str | None, evidence: Evidence, what: str) -> RemovalVerdict | None:
    """Why an event at `since` (ISO) is too recent for a deletion; None when it is long enough ago."""
    age_s = times.seconds_between(since, evidence.now)
    if age_s is None:
        return RemovalVerdict(RemovalReason.UNKNOWN_AGE, f"Azure does not show when it was {what}")
    if age_s < evidence.rule.days * _DAY_S:
        message = f"it was {what} {age_s / _DAY_S:.1f} days ago; the setting is {evidence.rule.days} days"
        return RemovalVerdict(RemovalReason.TOO_YOUNG, message)
    return None


def lock_on(resource: str, locks: Iterable[Lock]) -> str | None:
    """Which lock, of any level, is on `resource` (an id) or above it; None when there is none."""
    for lock in locks:
        if lock.covers(resource):
            return f"lock {lock.id.rpartition('/')[2]} ({lock.level}) is on {lock.scope or 'an unknown scope'}"
    return None


def _vm_of(disk: Disk) -> tuple[str, str] | None:
    home, found = resource_id.parse(disk.id), names.parse_disk_name(disk.name)
    return (home.group_key, found.vm.lower()) if home is not None and found is not None else None


def _of_owner(disk: Disk) -> str:
    owner = disk.managed_by or next(iter(disk.shared_by), None)
    return f", owned by {owner.rpartition('/')[2]}" if owner else ""
