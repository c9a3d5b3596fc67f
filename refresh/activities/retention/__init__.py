"""Activities that list and delete disks and image versions that are no longer needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.activities.retention import delete_disks, delete_versions, find_holders, plan_retention, watch_deletions

ACTIVITIES: tuple[Callable[..., Any], ...] = (
    delete_disks.delete_disks,
    delete_versions.delete_versions,
    watch_deletions.watch_deletions,
)
CLIENT_ACTIVITIES: tuple[Callable[..., Any], ...] = (
    find_holders.find_holders,
    plan_retention.plan_retention,
)
"""Activities that take a durable client besides their input."""
