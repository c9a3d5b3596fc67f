"""`RefreshAgent` on an image definition: whether the agent of its disks must report.

Decides how the tag is read. Does not know what a health check does with it.
"""

from __future__ import annotations

from refresh.domain.azure.galleries import Definition
from refresh.domain.terms import tags


def agent_required(definition: Definition | None) -> bool | None:
    """Whether the agent of a disk from this image must report; None when the tag is neither `true` nor `false`."""
    text = tags.text_of(definition.tags, tags.REFRESH_AGENT).lower() if definition else ""
    return {"true": True, "false": False}.get(text)
