"""Activities of the self-check: each checks one part of the platform and returns what it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.activities.selfcheck import begin_selfcheck, check_instances, check_subscription, keep_time

ACTIVITIES: tuple[Callable[..., Any], ...] = (
    begin_selfcheck.begin_selfcheck,
    check_subscription.check_subscription,
    keep_time.keep_time,
)
CLIENT_ACTIVITIES: tuple[Callable[..., Any], ...] = (check_instances.check_instances,)
"""Activities that take a durable client besides their input."""
