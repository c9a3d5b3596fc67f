"""Activity: makes the temporary resource group of a build or a proof if it is missing, with tags that name its run."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.recipes.temporary_group import group_tags
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.recipes.stage_calls import LATE, comes_late, retry_briefly, run_stage
from refresh.records.recipes import Stage, StageState, TemporaryGroup


async def ensure_build_group(data: dict[str, Any]) -> dict[str, Any]:
    """`TemporaryGroup` to `Stage`; the request that makes the group has its tags."""
    gateways, place = wiring.gateways(), TemporaryGroup.from_json(data)
    return (await run_stage(lambda: _ensure(gateways, place), "the temporary resource group")).to_json()


async def _ensure(gateways: Gateways, place: TemporaryGroup) -> Stage:
    try:
        found = await retry_briefly(lambda: gateways.temporary_groups.read_group(place.group))
    except NotFound:
        if await comes_late(gateways, place):
            return LATE
        group_tag_values = group_tags(place.purpose, place.definition, place.run, place.since)
        await retry_briefly(lambda: gateways.temporary_groups.put_group(place.group, place.location, group_tag_values))
        return Stage(StageState.DONE)
    if found.provisioning_state == "Deleting":
        return Stage(
            StageState.FAILED, MonthReason.BUILD_FAILED, f"resource group {found.name} is being deleted; run again"
        )
    return Stage(StageState.DONE)
