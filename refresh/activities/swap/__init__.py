"""Activities of looks and swaps: read VMs, prepare, stop, change the OS disk, start, check health, write tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.activities.swap import (
    adopt_disks,
    clear_intent,
    count_swaps,
    ensure_healthy,
    ensure_os_disk,
    ensure_started,
    ensure_stopped,
    find_outcomes,
    list_mismatches,
    prepare_swap,
    quarantine_version,
    read_hints,
    withdraw_wishes,
    write_intent,
    write_rejection,
    write_ways_back,
    write_wishes,
)

ACTIVITIES: tuple[Callable[..., Any], ...] = (
    list_mismatches.list_mismatches,
    write_intent.write_intent,
    ensure_stopped.ensure_stopped,
    ensure_os_disk.ensure_os_disk,
    ensure_started.ensure_started,
    ensure_healthy.ensure_healthy,
    write_rejection.write_rejection,
    quarantine_version.quarantine_version,
    clear_intent.clear_intent,
    write_wishes.write_wishes,
    adopt_disks.adopt_disks,
)
CLIENT_ACTIVITIES: tuple[Callable[..., Any], ...] = (
    read_hints.read_hints,
    prepare_swap.prepare_swap,
    find_outcomes.find_outcomes,
    count_swaps.count_swaps,
    write_ways_back.write_ways_back,
    withdraw_wishes.withdraw_wishes,
)
"""Activities that take a durable client besides their input."""
