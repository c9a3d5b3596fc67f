"""Whether a disk fits a VM: operating system, generation, architecture, disk controller, size.

Decides how each is compared and which default applies where Azure gives no value. Leaves owner and place of the disk to
`placement.py`, its protection to `encryption.py`.
"""

from __future__ import annotations

from collections.abc import Collection

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight import encryption
from refresh.domain.preflight.check import Check, Condition, Evidence, same_text
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason

_SWAP_DOCS = "https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap"
_DISK_DOCS = "https://learn.microsoft.com/rest/api/compute/disks/get#supportedcapabilities"

# Disks and VMs from before these properties existed have none; Azure means these values.
DEFAULT_CONTROLLER = "SCSI"
DEFAULT_ARCHITECTURE = "x64"

SAME_OS = Condition(
    "same OS type",
    Reason.OTHER_OS,
    Evidence.DOCUMENTED,
    "https://learn.microsoft.com/java/api/com.azure.resourcemanager.compute.models.virtualmachine.updatestages.withosdisk",
    "PropertyChangeNotAllowed",
)
SAME_GENERATION = Condition(
    "same Hyper-V generation",
    Reason.OTHER_GENERATION,
    Evidence.REPORTED,
    "https://github.com/MicrosoftDocs/SupportArticles-docs/issues/214",
    "PropertyChangeNotAllowed",
)
SAME_ARCHITECTURE = Condition(
    "same CPU architecture", Reason.OTHER_ARCHITECTURE, Evidence.REPORTED, _DISK_DOCS, "PropertyChangeNotAllowed"
)
SAME_CONTROLLER = Condition(
    "same disk controller", Reason.OTHER_CONTROLLER, Evidence.REPORTED, _DISK_DOCS, "PropertyChangeNotAllowed"
)
NOT_SMALLER = Condition("disk is not smaller", Reason.DISK_TOO_SMALL, Evidence.OUR_RULE, _SWAP_DOCS)

CONDITIONS = (
    SAME_OS,
    SAME_GENERATION,
    SAME_ARCHITECTURE,
    SAME_CONTROLLER,
    *encryption.CONDITIONS,
    NOT_SMALLER,
)


def check_compatibility(vm: Vm, current: Disk | None, wanted: Disk, ran: Collection[str] = ()) -> tuple[Check, ...]:
    """Every check whether the disk `wanted` fits `vm` and its current OS disk `current`.

    `ran` are the hashes of disks that this VM is known to have run.
    """
    # A VM has a generation in ARM only while it is allocated; its current OS disk always has one.
    generation = (current.generation if current else None) or vm.generation
    return (
        SAME_OS.judged(
            same_text(vm.os_type, wanted.os_type),
            f"disk {wanted.name} holds {wanted.os_type or 'an unknown OS'}, the VM {vm.os_type or 'an unknown OS'}; "
            "make the disk from an image of the VM's OS",
        ),
        SAME_GENERATION.judged(
            same_text(generation, wanted.generation),
            f"disk {wanted.name} is generation {wanted.generation or 'unknown'}, the VM {generation or 'unknown'}; "
            "make the disk from an image of the VM's generation",
        ),
        _architecture(current, wanted),
        _controller(vm, wanted),
        *encryption.check_encryption(vm, current, wanted),
        _size(current, wanted, ran),
    )


def _architecture(current: Disk | None, wanted: Disk) -> Check:
    has = (current.architecture if current else None) or DEFAULT_ARCHITECTURE
    gets = wanted.architecture or DEFAULT_ARCHITECTURE
    return SAME_ARCHITECTURE.judged(
        same_text(has, gets),
        f"disk {wanted.name} is for {gets}, the VM's disk for {has}; make the disk from an image for {has}",
    )


def _controller(vm: Vm, wanted: Disk) -> Check:
    needs, offers = vm.disk_controller or DEFAULT_CONTROLLER, wanted.disk_controllers or DEFAULT_CONTROLLER
    return SAME_CONTROLLER.judged(
        any(same_text(needs, one) for one in offers.split(",")),
        f"disk {wanted.name} supports {offers}, the VM needs {needs}; make the disk from an image for {needs}",
    )


def _size(current: Disk | None, wanted: Disk, ran: Collection[str]) -> Check:
    # A rollback must stay possible: a disk that this VM ran may be smaller than a later one that an image required.
    has, gets = current.size_gb if current else None, wanted.size_gb
    return NOT_SMALLER.judged(
        resource_id.id_hash(wanted.id) in ran or (has is not None and gets is not None and gets >= has),
        f"disk {wanted.name} has {gets if gets is not None else 'an unknown number of'} GiB, the VM's "
        f"{has if has is not None else 'an unknown number'}; make the disk at least as large",
    )
