"""What a request to adopt does to a VM: `OsDiskName` gets the name of the disk that the VM runs.

Decides from the VM alone. Does not know why the disk is another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.vms import Vm
from refresh.domain.swap.decision import Refuse, Skip
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.wish import choose_wish, disk_text


@dataclass(frozen=True)
class Adopt:
    """The tag becomes `text`; None where it names the disk already."""

    message: str
    text: str | None
    reason: Reason = Reason.ADOPTED


def plan_adoption(vm: Vm) -> Adopt | Skip | Refuse:
    """What to do about the tag of `vm`; that of a VM that is being swapped is not written."""
    if vm.own_tags.on_hold:
        return Skip(Reason.ON_HOLD, f"{tags.AUTO_REFRESH}=hold: its tag was not written")
    if not vm.own_tags.in_scope:
        return Skip(Reason.NOT_IN_SCOPE, vm.own_tags.why_out_of_scope)
    if vm.own_tags.open_intent is not None:
        return Refuse(Reason.VM_BUSY, f"{vm.own_tags.open_intent.run} is not over: adopt the disk when it is")
    if vm.os_disk_id is None:
        return Refuse(Reason.UNMANAGED_DISK, "the VM has no managed OS disk that a tag could name")
    text = disk_text(vm.id, vm.os_disk_id)
    wish = choose_wish(vm, ())
    names_it = not vm.own_tags.wants_previous and resource_id.same(wish.disk_id, vm.os_disk_id)
    message = f"{tags.OS_DISK_NAME} names {text}, the disk that the VM runs"
    return Adopt(message, None if names_it or vm.own_tags.wanted == text else text)
