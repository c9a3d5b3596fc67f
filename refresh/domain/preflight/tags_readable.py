"""Whether what a VM's own tags say can be honoured as it stands.

Decides which promise each tag must keep; the first that fails is the one told. Refuses to know the disk that is meant:
tags are read before any disk is.
"""

from __future__ import annotations

from refresh.domain.azure.vms import Vm
from refresh.domain.health.owner_tags import probe_fault, timeout_fault
from refresh.domain.preflight.check import Check, Evidence, Promise
from refresh.domain.terms import tags
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.stop_mode import StopMode, choose_stop_mode
from refresh.domain.vm.wish import Wish, shorten

BUILT = Promise("no tag asks for what is not built yet", Reason.TAG_NOT_BUILT, Evidence.OUR_RULE)
STOP_MODE = Promise("stop mode can be read", Reason.BAD_STOP_MODE, Evidence.OUR_RULE)
PROBE = Promise("probe can be read", Reason.BAD_PROBE, Evidence.OUR_RULE)
TIMEOUT = Promise("time for health can be read", Reason.BAD_HEALTH_TIMEOUT, Evidence.OUR_RULE)
READABLE = Promise("wish can be read as a disk", Reason.BAD_WISH, Evidence.OUR_RULE)
HAS_PREVIOUS = Promise("previous disk is known where it is asked for", Reason.NO_PREVIOUS, Evidence.OUR_RULE)
IN_GROUP = Promise("disk is of a group that may be named", Reason.DISK_OUTSIDE_GROUP, Evidence.OUR_RULE)

PROMISES = (BUILT, STOP_MODE, PROBE, TIMEOUT, READABLE, HAS_PREVIOUS, IN_GROUP)


def check_tags(vm: Vm, wish: Wish) -> tuple[Check, ...]:
    """Every check of the tags of `vm`, `wish` being what they ask for."""
    return (
        _built(vm),
        _stop_mode(vm),
        PROBE.judged(not (fault := probe_fault(vm)), fault or ""),
        TIMEOUT.judged(not (fault := timeout_fault(vm)), fault or ""),
        *(one.judged(wish.problem is not one.reason, wish.message) for one in (READABLE, HAS_PREVIOUS, IN_GROUP)),
    )


def _built(vm: Vm) -> Check:
    early = [name for name in tags.NOT_BUILT_YET if tags.value_of(vm.tags, name) is not None]
    return BUILT.judged(not early, f"tag {' and '.join(early)} is not supported yet; remove it to have this VM swapped")


def _stop_mode(vm: Vm) -> Check:
    said = shorten(tags.value_of(vm.tags, tags.REFRESH_STOP_MODE) or "")
    known = f"{StopMode.DEALLOCATE} or {StopMode.POWER_OFF}"
    return STOP_MODE.judged(
        choose_stop_mode(vm, StopMode.DEALLOCATE) is not None,
        f"{tags.REFRESH_STOP_MODE}='{said}' is no way to stop a VM; write {known}",
    )
