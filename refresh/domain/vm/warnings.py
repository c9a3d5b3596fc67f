"""Warnings: what a person should know before a swap that does not forbid it.

Decides which warnings there are, and when those about the disks apply; `stop_choice.py` has those about the stop,
`preflight` what refuses a swap. There is no warning for what ARM does not show on the VM: Backup without its extension,
Site Recovery without its mobility extension.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import times

WINDOWS_DISK_AGE_S = 30 * 86400.0
"""A domain member changes its machine password every 30 days by default:
https://learn.microsoft.com/windows/security/threat-protection/security-policy-settings/domain-member-maximum-machine-account-password-age"""

# Publishers of the extensions that Azure Backup and Site Recovery put on a VM.
_RECOVERY = "microsoft.azure.recoveryservices"


class WarningKind(StrEnum):
    """The subject of a warning. The value is shown to people."""

    SITE_RECOVERY = "site-recovery"
    BACKUP = "backup"
    OLD_WINDOWS_DISK = "old-windows-disk"
    OTHER_SIZE = "other-disk-size"
    DELETED_WITH_VM = "disk-deleted-with-vm"
    LOCAL_DISK = "local-disk-lost"
    DEDICATED_HOST = "dedicated-host"
    CAPACITY_RESERVATION = "capacity-reservation"
    DYNAMIC_IP = "dynamic-public-ip"
    SIZE_RESTRICTED = "size-restricted"
    SPOT = "spot-vm"
    PLACEMENT_GROUP = "proximity-placement-group"
    RUNG_LOST = "health-rung-lost"


@dataclass(frozen=True)
class VmWarning:
    """One warning; the message names the consequence."""

    code: WarningKind
    message: str


def warnings_of(vm: Vm, current: Disk | None, wanted: Disk | None) -> tuple[VmWarning, ...]:
    """The warnings about making `wanted` (None: not known) the OS disk of `vm` after `current`.

    Those about the stop are in `stop_choice.py`.
    """
    found = (
        _recovery(vm),
        _old_windows(vm, wanted),
        _other_size(current, wanted),
        _deleted(vm),
    )
    return tuple(one for one in found if one is not None)


def _recovery(vm: Vm) -> VmWarning | None:
    publishers = [one.lower() for one in vm.extension_publishers if one.lower().startswith(_RECOVERY)]
    if any("siterecovery" in one for one in publishers):
        message = "Site Recovery replicates this VM's disks: include the new disk in the replication after the swap"
        return VmWarning(WarningKind.SITE_RECOVERY, message)
    if publishers:
        return VmWarning(
            WarningKind.BACKUP, "Azure Backup protects this VM: check that the next backup after the swap succeeds"
        )
    return None


def _old_windows(vm: Vm, wanted: Disk | None) -> VmWarning | None:
    if wanted is None or wanted.os_type != "Windows":
        return None
    age_s = times.seconds_between(wanted.time_created, vm.read_at)
    if age_s is None or age_s < WINDOWS_DISK_AGE_S:
        return None
    days = int(age_s // 86400)
    message = f"disk {wanted.name} is {days} days old: a domain may no longer accept a machine password of that age"
    return VmWarning(WarningKind.OLD_WINDOWS_DISK, message)


def _other_size(current: Disk | None, wanted: Disk | None) -> VmWarning | None:
    # https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap, and the reports:
    # https://github.com/MicrosoftDocs/azure-docs/issues/108499
    has, gets = (one.size_gb if one is not None else None for one in (current, wanted))
    if wanted is None or has is None or gets is None or has == gets:
        return None
    message = (
        f"disk {wanted.name} has {gets} GiB, the VM's OS disk {has}: Azure asks for equal sizes, and is reported to "
        "accept others; use a disk of the same size if Azure refuses the swap"
    )
    return VmWarning(WarningKind.OTHER_SIZE, message)


def _deleted(vm: Vm) -> VmWarning | None:
    # The option is set on the VM, not on the disk: https://learn.microsoft.com/azure/virtual-machines/delete
    if (vm.os_disk_delete_option or "").lower() != "delete":
        return None
    message = (
        "deleteOption=Delete applies to the VM's current OS disk: deleting the VM deletes the new disk, not the old one"
    )
    return VmWarning(WarningKind.DELETED_WITH_VM, message)


def warning_of_rung(rung: str, action: str, scope: str) -> VmWarning:
    """The warning that a rung of the health check is not read: the app lacks `action` on `scope` (an id)."""
    message = f"the app's identity lacks {action} on {scope}: the health check runs without the rung {rung}"
    return VmWarning(WarningKind.RUNG_LOST, message)
