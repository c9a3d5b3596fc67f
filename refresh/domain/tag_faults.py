"""What keeps a VM from being swapped because of what its own tags say.

Decides which tag is told first. Refuses to know which disk the tags ask for (`wish`).
"""

from __future__ import annotations

from refresh.domain import tags
from refresh.domain.health_wish import health_fault
from refresh.domain.model import Vm
from refresh.domain.reason import Reason
from refresh.domain.stop_mode import StopMode, choose_stop_mode
from refresh.domain.wish import shorten


def tag_fault(vm: Vm) -> tuple[Reason, str] | None:
    """The first tag that cannot be honoured as it stands, with the cure; None when all can."""
    early = next((name for name in tags.NOT_BUILT_YET if tags.value_of(vm.tags, name) is not None), None)
    if early is not None:
        return Reason.TAG_NOT_BUILT, f"tag {early} is not supported yet; remove it to have this VM swapped"
    if choose_stop_mode(vm, StopMode.DEALLOCATE) is None:
        said = shorten(tags.value_of(vm.tags, tags.REFRESH_STOP_MODE) or "")
        known = f"{StopMode.DEALLOCATE} or {StopMode.POWER_OFF}"
        return Reason.BAD_STOP_MODE, f"{tags.REFRESH_STOP_MODE}='{said}' is no way to stop a VM; write {known}"
    return health_fault(vm)
