"""Whether the tags of a VM can be read and are supported.

Decides the checks of tags; a refusal names the first that fails. Does not know the wanted disk: tags are checked before
any disk is read.
"""

from __future__ import annotations

from collections.abc import Sequence

from refresh.domain.preflight.check import Check, Condition, Evidence
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.terms.vm_tags import TagFault, VmTags
from refresh.domain.vm.wish import Wish

BUILT = Condition("no unsupported tag", Reason.TAG_NOT_BUILT, Evidence.OUR_RULE)
STOP_MODE = Condition("stop mode can be read", Reason.BAD_STOP_MODE, Evidence.OUR_RULE)
PROBE = Condition("probe can be read", Reason.BAD_PROBE, Evidence.OUR_RULE)
TIMEOUT = Condition("health timeout can be read", Reason.BAD_HEALTH_TIMEOUT, Evidence.OUR_RULE)
READABLE = Condition("OsDiskName is a disk", Reason.BAD_WISH, Evidence.OUR_RULE)
HAS_PREVIOUS = Condition("@previous has a disk", Reason.NO_PREVIOUS, Evidence.OUR_RULE)
IN_GROUP = Condition("disk is in an allowed resource group", Reason.DISK_OUTSIDE_GROUP, Evidence.OUR_RULE)

CONDITIONS = (BUILT, STOP_MODE, PROBE, TIMEOUT, READABLE, HAS_PREVIOUS, IN_GROUP)


def check_tags(vm_tags: VmTags, wish: Wish) -> tuple[Check, ...]:
    """Every check of a VM's tags; `wish` is the disk that they name."""
    readable = ((STOP_MODE, vm_tags.stop_mode), (PROBE, vm_tags.probe), (TIMEOUT, vm_tags.health_timeout_s))
    return (
        _built(vm_tags.not_built),
        *(_readable(condition, value) for condition, value in readable),
        *(one.judged(wish.problem is not one.reason, wish.message) for one in (READABLE, HAS_PREVIOUS, IN_GROUP)),
    )


def _built(early: Sequence[str]) -> Check:
    return BUILT.judged(not early, f"tag {' and '.join(early)} is not supported yet; remove it to have this VM swapped")


def _readable(condition: Condition, value: object) -> Check:
    fault = value if isinstance(value, TagFault) else None
    return condition.judged(fault is None, fault.message if fault else "")
