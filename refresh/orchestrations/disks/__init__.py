"""Orchestrations of the month: disks, tags, and the month as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.orchestrations.disks import create_disks, refresh_month, write_tags

ORCHESTRATIONS: tuple[Callable[..., Any], ...] = (
    refresh_month.refresh_month,
    create_disks.create_disks,
    write_tags.write_tags,
)
