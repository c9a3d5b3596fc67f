"""A managed image as a plain value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Image:
    """A managed image."""

    id: str
    name: str
    provisioning_state: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
