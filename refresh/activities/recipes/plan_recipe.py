"""Activity: what a recipe will be carried out on, decided once: recipe, exact marketplace image, subnet, group.

Whatever can be known to be wrong is refused here, before anything is made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from refresh import wiring
from refresh.domain.azure.galleries import Definition
from refresh.domain.recipes.custom_data import write_custom_data
from refresh.domain.recipes.marketplace import check_definition, check_image
from refresh.domain.recipes.temporary_group import BUILD
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.gateways import GatewayError, Gateways, NotFound
from refresh.reading.recipes.choose_group import find_workplace
from refresh.reading.recipes.recipe_files import find_recipe
from refresh.reading.recipes.stage_calls import calmly
from refresh.records.month import FAILED, REFUSE, ImageRow
from refresh.records.recipes import Workplace
from refresh.settings.settings import Settings


async def plan_recipe(data: dict[str, Any]) -> dict[str, Any]:
    """`{"definition", "run", "since"}` to `{"place": Workplace}`, or `{"row": ImageRow}` that says why not."""
    definition, gateways = str(data["definition"]), wiring.gateways()
    try:
        read = await calmly(lambda: gateways.gallery.read_definition(definition))
        found = await judge_recipe(gateways, wiring.settings(), read, data["run"], data["since"])
    except GatewayError as error:
        message = f"what the recipe needs could not be read: {error}"
        return {"row": ImageRow(definition, FAILED, MonthReason.NOT_READ, message).to_json()}
    if isinstance(found, Refusal):
        return {"row": ImageRow(definition, REFUSE, found.reason, found.message).to_json()}
    return {"place": found.to_json()}


async def judge_recipe(
    gateways: Gateways, settings: Settings, definition: Definition, run: str, since: str
) -> Workplace | Refusal:
    """Where the recipe of a definition would be carried out, or why it cannot be. GatewayError: Azure would not say."""
    refusal = check_definition(definition)
    recipe = refusal or find_recipe(settings, definition.id)
    if isinstance(recipe, Refusal):
        return recipe
    generalized = definition.os_state == "Generalized"
    custom_data = write_custom_data(recipe, generalized=generalized)
    if isinstance(custom_data, str):
        return Refusal(MonthReason.BAD_RECIPE, custom_data)
    place = await find_workplace(gateways, settings, definition, BUILD, run, since)
    if isinstance(place, Refusal):
        return place
    subscription = place.subnet.split("/")[2]
    try:
        image = await calmly(lambda: gateways.workshop.read_image(subscription, place.location, recipe.image))
    except NotFound as error:
        message = f"marketplace image {recipe.image} of recipe.toml is not to be had in {place.location}: {error}"
        return Refusal(MonthReason.BAD_RECIPE, message)
    return check_image(definition, image) or replace(
        place, generalized=generalized, timeout_s=recipe.timeout_s, digest=recipe.digest, image=str(image.image)
    )
