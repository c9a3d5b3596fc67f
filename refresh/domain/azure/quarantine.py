"""When an image version is quarantined, and whether it is: no VM is swapped to it then."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Version
from refresh.domain.terms import resource_id, tags


def is_quarantined(version: Version | None) -> bool:
    """Whether the app marked this image version after several VMs were rolled back from it."""
    return version is not None and tags.value_of(version.tags, tags.REFRESH_QUARANTINED) is not None


@dataclass(frozen=True)
class QuarantineRule:
    """From how many rolled-back VMs on, and from which share of the VMs that got the version this month."""

    vms: int
    share: float


@dataclass(frozen=True)
class QuarantineVerdict:
    """Whether the version is to be quarantined, and why or why not, in words that follow the version's name."""

    due: bool
    message: str


def decide_quarantine(
    rule: QuarantineRule, rejecting: Collection[str], had: Collection[str] | None
) -> QuarantineVerdict:
    """Whether a version is at fault that was rolled back, on evidence, on the VMs `rejecting` (ids).

    `had` are the VMs that run it since this month; None: not known, and then the number alone decides. A share keeps
    two broken VMs from stopping a fleet of hundreds. A fault of one resource group's own (network, policy) shows on its
    VMs alone, so that the version counts as at fault only if the rollbacks are in more than one group where the version
    is in more than one.
    """
    count = len({vm.lower() for vm in rejecting})
    if count < rule.vms:
        return QuarantineVerdict(False, f"was rolled back on {count} VM(s); it is quarantined at {rule.vms}")
    if had is None:
        return QuarantineVerdict(True, "its share of VMs is not known")
    given = {vm.lower() for vm in (*had, *rejecting)}
    share = count / len(given)
    if share < rule.share:
        return QuarantineVerdict(
            False, f"was rolled back on {count} of {len(given)} VMs; it is quarantined at {rule.share:.0%} of them"
        )
    if len(_groups(given)) > 1 and len(_groups(rejecting)) == 1:
        where = next(iter(_groups(rejecting))).rsplit("/", 1)[-1]
        return QuarantineVerdict(False, f"was rolled back on {count} VMs, all in group {where}; others have it as well")
    return QuarantineVerdict(True, f"{count} of {len(given)} VMs that got it this month")


def find_vms_of_version(disks: Iterable[Disk], version: str, now: str | None) -> set[str]:
    """The VMs (lower-case ids) that run a disk of the version that was made in the month of `now` (ISO)."""
    month = (now or "")[:7]
    return {
        disk.managed_by.lower()
        for disk in disks
        if disk.managed_by
        and resource_id.same(disk.source_version, version)
        and (not month or disk.time_created is None or disk.time_created[:7] == month)
    }


def _groups(vms: Iterable[str]) -> set[str]:
    return {vm.lower().split("/providers/", 1)[0] for vm in vms}
