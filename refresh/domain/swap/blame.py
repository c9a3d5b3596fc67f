"""Whether a step that failed for good is evidence against the new disk.

Decides whether the disk is rejected: a rejected disk is not tried again without `force`. What is evidence is in
`domain/health/evidence.py`; the step's activity judges it, because only the activity has read the VM. Does not know how
a step fails.
"""

from __future__ import annotations

from refresh.domain.azure.capacity import is_capacity
from refresh.domain.azure.refusals import is_denied
from refresh.domain.swap.plan import Step

UNHEALTHY = "Unhealthy"
"""The code of a health step that found the VM unhealthy; other codes mean that its health could not be read."""


def is_disk_to_blame(step: str, code: str | None, blames: bool | None = None) -> bool:
    """Whether it is the new disk's fault that `step` failed with `code` (Azure's code, or the app's).

    `blames` is the activity's judgement; None from an activity of an older version, whose rule still applies to it.
    """
    if blames is not None:
        return blames
    if step == Step.STOP or is_denied(code):
        return False
    return code == UNHEALTHY if step == Step.HEALTH else not is_capacity(code)


def is_start_hopeless(step: str, code: str | None) -> bool:
    """Whether the start would fail on any disk, so that putting the old one back would not bring the VM up."""
    return step == Step.START and (is_capacity(code) or is_denied(code))
