"""Whether Azure accepts the tags that the app writes onto the VM before the stop and in a rollback.

Decides how many tags and how long a value Azure accepts. A refusal by a policy is not foreseen: only a write finds it.
"""

from __future__ import annotations

from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.check import Check, Condition, Evidence
from refresh.domain.terms import tags
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.wish import disk_text

MOST_TAGS = 50

ROOM = Condition(
    "VM has room for the app's tags",
    Reason.TAG_LIMIT,
    Evidence.DOCUMENTED,
    "https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations",
    "TooManyTags",
)

_NAMES = f"{tags.OS_DISK_PREVIOUS}, {tags.REFRESH_STATE}, {tags.OS_DISK_REJECTED}"
# What the VM has at once: before the stop, and in a rollback, which first removes an `OsDiskPrevious` of the swap.
_WRITTEN = ((tags.OS_DISK_PREVIOUS, tags.REFRESH_STATE), (tags.REFRESH_STATE, tags.OS_DISK_REJECTED))


def check_room(vm: Vm) -> Check:
    """Whether the app's tags fit beside those of `vm`."""
    has = {name.lower() for name in vm.tags}
    most = max(len(has | {name.lower() for name in written}) for written in _WRITTEN)
    if most > MOST_TAGS:
        return ROOM.judged(
            False,
            f"the VM would have {most} tags with those that the app writes ({_NAMES}), and Azure allows {MOST_TAGS}; "
            f"remove {most - MOST_TAGS} of its {len(has)} tags",
        )
    old = disk_text(vm.id, vm.os_disk_id or "")
    return ROOM.judged(
        len(old) <= tags.MAX_VALUE_LENGTH,
        f"{tags.OS_DISK_PREVIOUS} would be the id of the VM's OS disk, which has {len(old)} characters, and Azure "
        f"allows {tags.MAX_VALUE_LENGTH}; swap the VM by hand to a disk of its own resource group first",
    )
