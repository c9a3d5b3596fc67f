"""Activity: decides once how a recipe runs: its exact text, the marketplace image's version, subnet and group.

Every fault that can be found before a request is refused here, before anything is made.
"""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.errors import GatewayError
from refresh.reading.recipes.recipe_plans import judge_recipe
from refresh.reading.recipes.stage_calls import retry_briefly
from refresh.records.month import FAILED, REFUSE, ImageRow


async def plan_recipe(data: dict[str, Any]) -> dict[str, Any]:
    """`{"definition", "run", "since"}` to `{"place": TemporaryGroup}`, or `{"row": ImageRow}` with the reason."""
    definition, gateways = str(data["definition"]), wiring.gateways()
    try:
        read = await retry_briefly(lambda: gateways.gallery.read_definition(definition))
        found = await judge_recipe(gateways, wiring.settings(), read, data["run"], data["since"])
    except GatewayError as error:
        message = f"what the recipe needs could not be read: {error}"
        return {"row": ImageRow(definition, FAILED, MonthReason.NOT_READ, message).to_json()}
    if isinstance(found, Refusal):
        return {"row": ImageRow(definition, REFUSE, found.reason, found.message).to_json()}
    return {"place": found.to_json()}
