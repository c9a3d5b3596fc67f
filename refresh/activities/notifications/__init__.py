"""The activity that publishes an event to the outcome topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.activities.notifications import publish_event

ACTIVITIES: tuple[Callable[..., Any], ...] = (publish_event.publish_event,)
CLIENT_ACTIVITIES: tuple[Callable[..., Any], ...] = ()
"""Activities that take a durable client besides their input."""
