"""Whether the VM's size supports the disk's SKU.

Decides when the list of sizes must be read: a VM that has a premium disk today supports another one.
Does not know how the list is read.
"""

from __future__ import annotations

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.check import Check, Condition, Evidence
from refresh.domain.terms.swap_reason import Reason

SIZE_CARRIES = Condition(
    "VM size supports the disk's SKU",
    Reason.SKU_NOT_ALLOWED,
    Evidence.DOCUMENTED,
    "https://learn.microsoft.com/java/api/com.azure.resourcemanager.compute.models.virtualmachine.updatestages.withosdisk",
    "InvalidParameter",
)


def must_read_sizes(current: Disk | None, wanted: Disk) -> bool:
    """Whether the list of sizes is needed: the wanted disk is premium and the current one is not."""
    return _is_premium(wanted) and not (current is not None and _is_premium(current))


def check_size(vm: Vm, current: Disk | None, wanted: Disk, takes_premium: bool | None) -> Check:
    """Whether the size of `vm` supports `wanted`.

    `takes_premium` is from Azure's list, None when the size is not there.
    """
    return SIZE_CARRIES.judged(
        not must_read_sizes(current, wanted) or takes_premium is True,
        f"disk {wanted.name} is {wanted.sku}, and Azure does not list size {vm.size or 'unknown'} as supporting that; "
        "change the disk's SKU or the VM's size",
    )


def _is_premium(disk: Disk) -> bool:
    return (disk.sku or "").lower().startswith("premium")
