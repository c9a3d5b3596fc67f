"""Activity: decides, once, which version of a definition a build makes or keeps; Durable's history freezes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from refresh import wiring
from refresh.activities import image_plans
from refresh.activities.fleet import BUDGET_S
from refresh.activities.patience import patiently
from refresh.domain.month_reason import MonthReason, Refusal
from refresh.gateway import GatewayError, Gateways
from refresh.month_messages import FAILED, BuildInput, ImageRow


async def plan_version(data: dict[str, Any]) -> dict[str, Any]:
    """`{"build": BuildInput}` that names the version, or `{"row": ImageRow}` when there is nothing to build."""
    return await choose_version(wiring.gateways(), BuildInput.from_json(data))


async def choose_version(gateways: Gateways, build: BuildInput) -> dict[str, Any]:
    """What `plan_version` answers, over `gateways`."""
    try:
        definition = await patiently(lambda: gateways.gallery.read_definition(build.definition), budget_s=BUDGET_S)
        plan = await image_plans.plan_build(gateways, definition, build.period, force_rebuild=build.force_rebuild)
    except GatewayError as error:
        message = f"the definition could not be read: {error}"
        return {"row": ImageRow(build.definition, FAILED, MonthReason.NOT_READ, message).to_json()}
    if isinstance(plan, Refusal):
        return {"row": image_plans.plan_row(definition, plan, build.regions).to_json()}
    version = f"{definition.id}/versions/{plan.name}"
    planned = replace(build, version=version, source=plan.source, kept=plan.kept is not None)
    return {"build": planned.to_json()}
