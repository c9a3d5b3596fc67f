"""The orchestrations of a self-check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.orchestrations.selfcheck import answer_selfcheck, selfcheck

ORCHESTRATIONS: tuple[Callable[..., Any], ...] = (
    selfcheck.selfcheck,
    answer_selfcheck.answer_selfcheck,
)
