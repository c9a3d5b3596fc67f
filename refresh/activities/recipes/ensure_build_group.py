"""Activity: makes the temporary resource group of a build or a proof if it is missing, with tags that name its run."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.recipes.temporary_group import group_tags
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.recipes.stage_calls import LATE, is_too_late, retry_briefly, run_stage
from refresh.records.recipes import Stage, StageState, TemporaryGroup


async def ensure_build_group(data: dict[str, Any]) -> dict[str, Any]:
    """`TemporaryGroup` to `Stage`; the request that makes the group has its tags."""
    gateways, group = wiring.gateways(), TemporaryGroup.from_json(data)
    return (await run_stage(lambda: _ensure(gateways, group), "the temporary resource group")).to_json()


async def _ensure(gateways: Gateways, group: TemporaryGroup) -> Stage:
    try:
        found = await retry_briefly(lambda: gateways.temporary_groups.read_group(group.group))
    except NotFound:
        if await is_too_late(gateways, group):
            return LATE
        group_tag_values = group_tags(group.purpose, group.definition, group.run, group.since)
        await retry_briefly(lambda: gateways.temporary_groups.put_group(group.group, group.location, group_tag_values))
        return Stage(StageState.DONE)
    if found.provisioning_state == "Deleting":
        return Stage(
            StageState.FAILED, MonthReason.BUILD_FAILED, f"resource group {found.name} is being deleted; run again"
        )
    return Stage(StageState.DONE)
