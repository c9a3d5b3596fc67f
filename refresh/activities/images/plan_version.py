"""Activity: decides which version of a definition a build makes or keeps; Durable's history freezes the decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refresh import wiring
from refresh.domain.images.spec import ImageSpec
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import BUDGET_S
from refresh.reading.images import version_plans
from refresh.records.month import FAILED, BuildInput, ImageRow
from refresh.settings.settings import SettingsError


async def plan_version(data: dict[str, Any]) -> dict[str, Any]:
    """`{"build": BuildInput}` that names the version, or `{"row": ImageRow}` when there is nothing to build."""
    build = BuildInput.from_json(data)
    try:
        specs = wiring.image_specs()
    except SettingsError as error:
        return {"row": ImageRow(build.definition, FAILED, MonthReason.NOT_READ, str(error)).to_json()}
    return await choose_version(wiring.gateways(), build, specs)


async def choose_version(gateways: Gateways, build: BuildInput, specs: Sequence[ImageSpec] = ()) -> dict[str, Any]:
    """The result of `plan_version`, over `gateways`."""
    try:
        now = await retry_until_answered(gateways.clock.now, budget_s=BUDGET_S)
        plan = await version_plans.plan_build(gateways, build, specs, now)
    except GatewayError as error:
        message = f"the definition could not be read: {error}"
        return {"row": ImageRow(build.definition, FAILED, MonthReason.NOT_READ, message).to_json()}
    if isinstance(plan, Refusal):
        return {"row": version_plans.plan_row(build.definition, plan, build.regions).to_json()}
    return {"build": version_plans.freeze(plan, build, now).to_json()}
