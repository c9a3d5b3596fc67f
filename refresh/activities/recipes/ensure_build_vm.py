"""Activity: makes the VM on which a recipe runs, without a public address and with a key whose private half is dropped.

Recipe, image and definition are read again here, so that only the request to ARM has the custom data and the key.
"""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.recipes.one_time_key import make_public_key
from refresh.domain.recipes import temporary_group
from refresh.domain.recipes.build_bodies import build_vm_body, nic_body
from refresh.domain.recipes.build_watch import judge_made
from refresh.domain.recipes.custom_data import write_custom_data
from refresh.domain.recipes.recipe import MarketplaceImage
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.domain.terms.verdict import Move
from refresh.gateways.gateways import Gateways
from refresh.reading.recipes.recipe_files import find_recipe
from refresh.reading.recipes.stage_calls import LATE, is_too_late, read_machine, retry_briefly, run_stage
from refresh.records.recipes import Stage, StageState, TemporaryGroup
from refresh.settings.settings import Settings


async def ensure_build_vm(data: dict[str, Any]) -> dict[str, Any]:
    """`TemporaryGroup` to `Stage`: done when the VM is made."""
    gateways, settings, group = wiring.gateways(), wiring.settings(), TemporaryGroup.from_json(data)
    return (await run_stage(lambda: _ensure(gateways, settings, group), "the build VM")).to_json()


async def _ensure(gateways: Gateways, settings: Settings, group: TemporaryGroup) -> Stage:
    standing = judge_made(await read_machine(gateways, temporary_group.vm_id(group.group)))
    if standing.move is Move.BEGIN:
        return LATE if await is_too_late(gateways, group) else await _make(gateways, settings, group)
    state = {Move.DONE: StageState.DONE, Move.FAILED: StageState.FAILED}.get(standing.move, StageState.WAITING)
    return Stage(state, standing.reason, standing.message)


async def _make(gateways: Gateways, settings: Settings, group: TemporaryGroup) -> Stage:
    recipe = find_recipe(settings, group.definition)
    if isinstance(recipe, Refusal):
        return Stage(StageState.FAILED, recipe.reason, recipe.message)
    if recipe.digest != group.digest:
        message = "the recipe was changed by a deployment in the middle of the build; run again"
        return Stage(StageState.FAILED, MonthReason.BAD_RECIPE, message)
    custom_data = write_custom_data(recipe, generalized=group.generalized)
    if isinstance(custom_data, str):
        return Stage(StageState.FAILED, MonthReason.BAD_RECIPE, custom_data)
    definition = await retry_briefly(lambda: gateways.gallery.read_definition(group.definition))
    exact = MarketplaceImage(*(group.image or ":::").split(":"))
    subscription = group.subnet.split("/")[2]
    image = await retry_briefly(lambda: gateways.temporary_groups.read_image(subscription, group.location, exact))
    nic = nic_body(group.location, group.subnet)
    await retry_briefly(lambda: gateways.temporary_groups.put_nic(temporary_group.nic_id(group.group), nic))
    body = build_vm_body(definition, recipe, image, group.group, custom_data, make_public_key())
    await retry_briefly(lambda: gateways.temporary_groups.begin_create_vm(temporary_group.vm_id(group.group), body))
    return Stage(StageState.WAITING, message="the VM is being made")
