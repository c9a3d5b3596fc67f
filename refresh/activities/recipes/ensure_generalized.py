"""Activity: marks the build VM as generalised in Azure."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.recipes import temporary_group
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.gateways import Gateways
from refresh.reading.recipes.stage_calls import read_machine, retry_briefly, run_stage
from refresh.records.recipes import Stage, StageState, TemporaryGroup


async def ensure_generalized(data: dict[str, Any]) -> dict[str, Any]:
    """`TemporaryGroup` to `Stage`."""
    gateways, group = wiring.gateways(), TemporaryGroup.from_json(data)
    return (await run_stage(lambda: _ensure(gateways, group), "generalising the build VM")).to_json()


async def _ensure(gateways: Gateways, group: TemporaryGroup) -> Stage:
    vm = temporary_group.vm_id(group.group)
    machine = await read_machine(gateways, vm)
    if machine is None:
        return Stage(
            StageState.FAILED,
            MonthReason.BUILD_FAILED,
            "the build VM does not exist any more; it was deleted from outside",
        )
    if not machine.generalized:
        await retry_briefly(lambda: gateways.temporary_groups.generalize(vm))
    return Stage(StageState.DONE)
