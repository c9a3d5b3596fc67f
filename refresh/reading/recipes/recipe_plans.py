"""The recipe of an image definition, read and judged before anything is built.

Decides whether a recipe can be built for its image definition. Does not know how it is built.
"""

from __future__ import annotations

from dataclasses import replace

from refresh.domain.azure.galleries import Definition
from refresh.domain.recipes.custom_data import write_custom_data
from refresh.domain.recipes.marketplace import check_definition, check_image
from refresh.domain.recipes.temporary_group import BUILD
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.errors import NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.recipes.choose_group import find_temporary_group
from refresh.reading.recipes.recipe_files import find_recipe
from refresh.reading.recipes.stage_calls import retry_briefly
from refresh.records.recipes import TemporaryGroup
from refresh.settings.settings import Settings


async def judge_recipe(
    gateways: Gateways, settings: Settings, definition: Definition, run: str, since: str
) -> TemporaryGroup | Refusal:
    """The temporary group in which a definition's recipe would run, or why it cannot run. Raises GatewayError."""
    refusal = check_definition(definition)
    recipe = refusal or find_recipe(settings, definition.id)
    if isinstance(recipe, Refusal):
        return recipe
    generalized = definition.os_state == "Generalized"
    custom_data = write_custom_data(recipe, generalized=generalized)
    if isinstance(custom_data, str):
        return Refusal(MonthReason.BAD_RECIPE, custom_data)
    group = await find_temporary_group(gateways, settings, definition, BUILD, run, since)
    if isinstance(group, Refusal):
        return group
    subscription = group.subnet.split("/")[2]
    try:
        image = await retry_briefly(
            lambda: gateways.temporary_groups.read_image(subscription, group.location, recipe.image)
        )
    except NotFound as error:
        message = f"marketplace image {recipe.image} of recipe.toml is not available in {group.location}: {error}"
        return Refusal(MonthReason.BAD_RECIPE, message)
    return check_image(definition, image) or replace(
        group, generalized=generalized, timeout_s=recipe.timeout_s, digest=recipe.digest, image=str(image.image)
    )
