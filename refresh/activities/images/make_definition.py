"""Activity: makes the image definition that `images.toml` describes if it is missing, and reads it back."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.galleries import Definition
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered, until
from refresh.reading.fleet.vms_and_disks import BUDGET_S
from refresh.records.month import FAILED, BuildInput, ImageRow

# Azure took 3.5 s at most (recorded).
MAKING_BUDGET_S = 60.0


async def make_definition(data: dict[str, Any]) -> dict[str, Any]:
    """`BuildInput` to `{}` when the definition exists, `{"row": ImageRow}` when it cannot be made."""
    return await define(wiring.gateways(), BuildInput.from_json(data))


async def define(gateways: Gateways, build: BuildInput) -> dict[str, Any]:
    """The result of `make_definition`, over `gateways`. Two calls make one definition."""
    body = build.definition_body or {}
    try:
        there = await _read(gateways, build.definition)
        if there is None or there.provisioning_state == "Failed":
            # A failed definition is put again under the same name: ARM repairs it by a PUT.
            await retry_until_answered(
                lambda: gateways.gallery.begin_create_definition(build.definition, body), budget_s=BUDGET_S
            )
        found = await until(lambda: _settled(gateways, build.definition), budget_s=MAKING_BUDGET_S)
    except GatewayError as error:
        return _failed(build, MonthReason.AZURE_SAID_NO, f"the image definition could not be made: {error}")
    if found is None:
        return _failed(build, MonthReason.TIMED_OUT, "the image definition is still being made; run again")
    if found.provisioning_state != "Succeeded":
        state = found.provisioning_state or "in an unknown state"
        return _failed(build, MonthReason.BUILD_FAILED, f"the image definition is {state}; run again to make it again")
    return {}


async def _settled(gateways: Gateways, definition: str) -> Definition | None:
    found = await _read(gateways, definition)
    return None if found is None or found.provisioning_state in ("Creating", "Updating") else found


async def _read(gateways: Gateways, definition: str) -> Definition | None:
    try:
        return await retry_until_answered(lambda: gateways.gallery.read_definition(definition), budget_s=BUDGET_S)
    except NotFound:
        return None


def _failed(build: BuildInput, reason: MonthReason, message: str) -> dict[str, Any]:
    return {"row": ImageRow(build.definition, FAILED, reason, message).to_json()}
