"""Whether the VM's size can carry the disk.

Decides when that must be known at all: a VM that runs a premium disk today can carry another. Refuses to know how the
sizes of a region are read.
"""

from __future__ import annotations

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.check import Check, Evidence, Promise
from refresh.domain.terms.swap_reason import Reason

SIZE_CARRIES = Promise(
    "VM size takes the disk's SKU",
    Reason.SKU_NOT_ALLOWED,
    Evidence.DOCUMENTED,
    "https://learn.microsoft.com/java/api/com.azure.resourcemanager.compute.models.virtualmachine.updatestages.withosdisk",
    "InvalidParameter",
)


def must_be_asked(current: Disk | None, wanted: Disk) -> bool:
    """Whether only the list of sizes can tell: the wanted disk is premium and the one in use is not."""
    return _is_premium(wanted) and not (current is not None and _is_premium(current))


def check_size(vm: Vm, current: Disk | None, wanted: Disk, takes_premium: bool | None) -> Check:
    """Whether the size of `vm` carries `wanted`; `takes_premium` is what Azure's list says, None if nothing."""
    return SIZE_CARRIES.judged(
        not must_be_asked(current, wanted) or takes_premium is True,
        f"disk {wanted.name} is {wanted.sku}, and Azure does not say that size {vm.size or 'unknown'} takes that; "
        "change the disk's SKU or the VM's size",
    )


def _is_premium(disk: Disk) -> bool:
    return (disk.sku or "").lower().startswith("premium")
