"""Whether a disk has the VM's protection: security type, disk encryption set, encryption inside the guest.

Decides what counts as equal and which security type applies where Azure gives none.
"""

from __future__ import annotations

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.check import Check, Condition, Evidence, same_text
from refresh.domain.terms.swap_reason import Reason

_SWAP_DOCS = "https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap"

# The security type of VMs and disks without a security profile.
DEFAULT_SECURITY_TYPE = "Standard"

SAME_SECURITY = Condition(
    "same security type",
    Reason.OTHER_SECURITY_TYPE,
    Evidence.REPORTED,
    "https://github.com/Azure/azure-sdk-for-python/issues/30479",
    "BadRequest",
)
SAME_SET = Condition("same encryption set", Reason.OTHER_ENCRYPTION_SET, Evidence.DOCUMENTED, _SWAP_DOCS)
NOT_ENCRYPTED_INSIDE = Condition(
    "no Azure Disk Encryption",
    Reason.DISK_ENCRYPTION,
    Evidence.DOCUMENTED,
    _SWAP_DOCS,
    "OSDiskSwapNotSupportedForVMsUsingDiskEncryption",
)

CONDITIONS = (SAME_SECURITY, SAME_SET, NOT_ENCRYPTED_INSIDE)


def check_encryption(vm: Vm, current: Disk | None, wanted: Disk) -> tuple[Check, ...]:
    """Whether `wanted` has the protection of `vm` and of its current OS disk `current`."""
    encrypted = [one.name for one in (vm, current, wanted) if one is not None and one.encrypted_inside]
    return (
        _security(vm, wanted),
        _set(current, wanted),
        NOT_ENCRYPTED_INSIDE.judged(
            not encrypted,
            f"{', '.join(encrypted)} uses Azure Disk Encryption, and Azure does not swap such OS disks; decrypt it, or "
            "change to encryption at host",
        ),
    )


def set_of(disk: Disk) -> str | None:
    """The id of the disk encryption set that encrypts the disk."""
    found = (disk.encryption or {}).get("diskEncryptionSetId")
    return found if isinstance(found, str) and found else None


def _security(vm: Vm, wanted: Disk) -> Check:
    has, gets = (_family(one.security_type) for one in (vm, wanted))
    return SAME_SECURITY.judged(
        same_text(has, gets),
        f"disk {wanted.name} is {gets}, the VM {has}; make the disk from an image of security type {has}",
    )


def _family(security_type: str | None) -> str:
    """The part of a security type that a VM and its disk share.

    A disk of a `ConfidentialVM` has `ConfidentialVM_DiskEncryptedWithPlatformKey` or the like.
    """
    return (security_type or DEFAULT_SECURITY_TYPE).split("_", maxsplit=1)[0]


def _set(current: Disk | None, wanted: Disk) -> Check:
    has, gets = set_of(current) if current else None, set_of(wanted)
    return SAME_SET.judged(
        current is not None and (has or "").lower() == (gets or "").lower(),
        f"disk {wanted.name} is encrypted with {_named(gets)}, the VM's disk with "
        f"{_named(has) if current else 'an unknown set'}; make the disk with the VM's encryption set",
    )


def _named(encryption_set: str | None) -> str:
    return f"set {encryption_set.rpartition('/')[2]}" if encryption_set else "no set of its own"
