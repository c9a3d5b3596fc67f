"""Activity: decides once in which temporary group a version is proved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from refresh import wiring
from refresh.domain.health.agent_tag import agent_required
from refresh.domain.recipes.temporary_group import PROOF
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.errors import GatewayError
from refresh.reading.recipes.choose_group import find_temporary_group
from refresh.reading.recipes.stage_calls import retry_briefly
from refresh.records.recipes import Stage, StageState


async def plan_proof(data: dict[str, Any]) -> dict[str, Any]:
    """`{"definition", "version", "run", "since"}` to `{"place": TemporaryGroup}`, or `{"stage": Stage}` with a reason.

    The guest's agent must report, unless a tag of the image definition declares that it has none.
    """
    gateways = wiring.gateways()
    try:
        definition = await retry_briefly(lambda: gateways.gallery.read_definition(data["definition"]))
        found = await find_temporary_group(gateways, wiring.settings(), definition, PROOF, data["run"], data["since"])
    except GatewayError as error:
        message = f"what the proof needs could not be read: {error}"[:300]
        return {"stage": Stage(StageState.FAILED, MonthReason.NOT_READ, message).to_json()}
    if isinstance(found, Refusal):
        return {"stage": Stage(StageState.FAILED, found.reason, found.message).to_json()}
    agent = agent_required(definition) is not False
    return {"place": replace(found, version=data["version"], agent=agent).to_json()}
