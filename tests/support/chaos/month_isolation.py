"""The disks of a month for a mixed fleet, with and without a disturbance, and what it must not change.

Decides the story and what is compared: the rows of VMs that the disturbance is not about.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.support.chaos.disturbances import Disturbance, begin
from tests.support.worlds.builders import VERSION_ID
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.mixed_fleet import MACHINES, SETTINGS, fleet
from tests.support.worlds.month_world import gallery_bodies, version_body


@dataclass
class MonthRecord:
    """The rows of two runs by the last part of their `vm`: during the disturbance and after it."""

    disturbed: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)


def run_month_story(disturbance: Disturbance) -> MonthRecord:
    """Make the month's disks during the disturbance, and again after it."""
    record = MonthRecord()

    async def story(azure: LocalAzure) -> None:
        end = begin(azure, disturbance)
        record.disturbed = await _make_disks(azure)
        end()
        await asyncio.sleep(60)
        record.ended = await _make_disks(azure)
        record.down = {one.name for one in MACHINES if azure.journal(one.id)["stops"]}

    images = [*gallery_bodies(), version_body(VERSION_ID, regions=sorted({one.region for one in MACHINES}))]
    play(story, [*images, *fleet()], settings=SETTINGS, events=False)
    return record


@cache
def undisturbed_month() -> MonthRecord:
    """The month without a disturbance."""
    return run_month_story(Disturbance())


def assert_month_isolated(record: MonthRecord, plain: MonthRecord, disturbance: Disturbance) -> None:
    """Check that every other VM has its row, that a disturbed one is named, and that the next run makes the rest."""
    for one in MACHINES:
        wanted = plain.disturbed[one.name]
        if one.name not in disturbance.about:
            assert record.disturbed.get(one.name) == wanted, (one.name, record.disturbed)
        elif record.disturbed.get(one.name) != wanted:
            # A VM whose id is hostile has a row with that id.
            named = {one.name, *disturbance.target_names, *(record.disturbed.keys() - plain.disturbed.keys())}
            assert named & record.disturbed.keys(), f"{one.name} has no disk, and no row names it: {record.disturbed}"
        assert record.ended[one.name]["reason"] in ("made", "kept"), (one.name, record.ended)
    assert record.down == set()


async def _make_disks(azure: LocalAzure) -> dict[str, dict[str, Any]]:
    status, started = await azure.api("POST", "/api/disks", {"all": True, "period": "202611"})
    assert status == 202, started

    async def ended() -> bool:
        return (await azure.api("GET", started["href"]))[1]["status"] not in ("running", "pending")

    await azure.until(ended, within_s=4 * 3600)
    run = (await azure.api("GET", started["href"]))[1]
    return {row["vm"].rsplit("/", 1)[-1]: row for row in run["vms"]}
