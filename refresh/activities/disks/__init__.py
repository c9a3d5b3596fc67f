"""Activities that make the month's disks and write the month's tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.activities.disks import make_disks, read_scope, write_disk_tags

ACTIVITIES: tuple[Callable[..., Any], ...] = (read_scope.read_scope,)
CLIENT_ACTIVITIES: tuple[Callable[..., Any], ...] = (make_disks.make_disks, write_disk_tags.write_disk_tags)
"""Activities that take a durable client besides their input."""
