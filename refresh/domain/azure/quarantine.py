"""Whether an image version is quarantined: no VM is swapped to it."""

from __future__ import annotations

from refresh.domain.azure.galleries import Version
from refresh.domain.terms import tags


def is_quarantined(version: Version | None) -> bool:
    """Whether the app marked this image version after several VMs were rolled back from it."""
    return version is not None and tags.value_of(version.tags, tags.REFRESH_QUARANTINED) is not None
