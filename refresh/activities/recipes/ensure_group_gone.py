"""Activity: deletes a temporary resource group with everything in it, or returns the commands that delete it."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.refusals import tell_refusal
from refresh.domain.recipes.temporary_group import delete_commands, is_temporary
from refresh.domain.terms import tags
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import NotFound, Refused
from refresh.gateways.gateways import Gateways
from refresh.reading.recipes.stage_calls import retry_briefly, run_stage
from refresh.records.recipes import Stage, StageState


async def ensure_group_gone(data: dict[str, Any]) -> dict[str, Any]:
    """`{"group": full id}` to `Stage`. A group that the app did not make is never deleted."""
    gateways, group = wiring.gateways(), str(data["group"])
    return (await run_stage(lambda: _ensure(gateways, group), f"deleting {group}")).to_json()


async def _ensure(gateways: Gateways, group: str) -> Stage:
    name = group.rsplit("/", 1)[-1]
    try:
        found = await retry_briefly(lambda: gateways.temporary_groups.read_group(group))
        if not is_temporary(found):
            return _left(group, f"resource group {name} is not named after the run in its tag {tags.BUILD_RUN}")
        if found.provisioning_state != "Deleting":
            await retry_briefly(lambda: gateways.temporary_groups.begin_delete_group(group))
    except NotFound:
        return Stage(StageState.DONE)
    except Refused as error:
        why = tell_refusal(error.code, error.message)
        return _left(group, f"resource group {name} could not be deleted: {why}")
    return Stage(StageState.WAITING, message=f"resource group {name} is being deleted")


def _left(group: str, message: str) -> Stage:
    return Stage(StageState.FAILED, MonthReason.AZURE_SAID_NO, message[:300], by_hand=delete_commands(group))
