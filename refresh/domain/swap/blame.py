"""What a step that failed for good says of the new disk.

Decides whether the disk is to blame: then it is remembered as rejected and not tried again by itself. Where Azure had
no room, or refused the app a right, another disk would fare no better, and the same one may be asked for again as soon
as that is cured. Refuses to know how a step fails.
"""

from __future__ import annotations

from refresh.domain.azure.capacity import is_capacity
from refresh.domain.azure.refusals import is_denied
from refresh.domain.swap.plan import Step

UNHEALTHY = "Unhealthy"
"""The code of a health step that condemned the VM, as against one that could not see it."""


def is_disk_to_blame(step: str, code: str | None) -> bool:
    """Whether `step` failing with `code` (Azure's, or ours) speaks against the new disk."""
    if step == Step.STOP or is_denied(code):
        return False
    return code == UNHEALTHY if step == Step.HEALTH else not is_capacity(code)


def is_start_hopeless(step: str, code: str | None) -> bool:
    """Whether the VM could not be started on any disk: going back to the old one would not bring it up either."""
    return step == Step.START and (is_capacity(code) or is_denied(code))
