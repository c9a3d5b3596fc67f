"""What a VM declares that its OS disk must share: hibernation, and a marketplace plan.

Decides what counts as equal. Azure documents these refusals for new VMs; for a swap they are assumed.
"""

from __future__ import annotations

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.check import Check, Condition, Evidence
from refresh.domain.terms.swap_reason import Reason

HIBERNATES = Condition(
    "disk supports the VM's hibernation",
    Reason.NO_HIBERNATION,
    Evidence.DOCUMENTED,
    "https://learn.microsoft.com/azure/virtual-machines/hibernate-resume-troubleshooting",
    "OperationNotAllowed",
)
SAME_PLAN = Condition(
    "same marketplace plan",
    Reason.OTHER_PLAN,
    Evidence.DOCUMENTED,
    "https://learn.microsoft.com/azure/virtual-machines/windows/error-messages",
    "VMMarketplaceInvalidInput",
)

CONDITIONS = (HIBERNATES, SAME_PLAN)


def check_capabilities(vm: Vm, current: Disk | None, wanted: Disk) -> tuple[Check, ...]:
    """Whether `wanted` has what `vm` declares; `current` is its OS disk."""
    return (
        HIBERNATES.judged(
            wanted.supports_hibernation or not vm.hibernates,
            f"hibernation is enabled on the VM, and disk {wanted.name} does not support it; set "
            "supportsHibernation=true on the disk if its OS supports hibernation, or use another disk",
        ),
        _plan(vm, current, wanted),
    )


def _plan(vm: Vm, current: Disk | None, wanted: Disk) -> Check:
    # A VM has its plan from its first OS disk on; a disk from before 2020 does not show its own.
    unknown = wanted.plan is None and (current is None or current.plan is None)
    return SAME_PLAN.judged(
        unknown or wanted.plan == vm.plan,
        f"disk {wanted.name} has {_named(wanted)}, the VM {_named(vm)}, and a VM's plan cannot change; make the disk "
        "from an image with the VM's plan",
    )


def _named(one: Vm | Disk) -> str:
    return f"marketplace plan {one.plan}" if one.plan else "no marketplace plan"
