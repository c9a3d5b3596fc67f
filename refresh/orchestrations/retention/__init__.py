"""The orchestration that deletes what retention chose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.orchestrations.retention import apply_retention

ORCHESTRATIONS: tuple[Callable[..., Any], ...] = (apply_retention.apply_retention,)
