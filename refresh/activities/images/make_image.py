"""Activity: makes the managed image that VHDs become before they become a version, and reads it back.

Azure took 25 s at most for one of a VM (recorded); one of a VHD copies the blob first.
"""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure import polls
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.images.source_fit import SourceFacts
from refresh.domain.images.sources import SourceKind, SourcePart
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered, until
from refresh.records.month import FAILED, BuildInput, ImageRow

_MOVING = ("Creating", "Updating")


async def make_image(data: dict[str, Any]) -> dict[str, Any]:
    """`BuildInput` to `{}` when the image is ready, `{"row": ImageRow}` when it cannot be made.

    `{"waiting": True, "row"}` means that the caller calls again; a build that does not ends with the row.
    """
    return await capture(wiring.gateways(), BuildInput.from_json(data))


async def capture(gateways: Gateways, build: BuildInput) -> dict[str, Any]:
    """The result of `make_image`, over `gateways`. Its name has the version, so an existing one is of this build."""
    image_id, body = build.image or "", build.image_body or {}
    name = image_id.rsplit("/", 1)[-1]
    try:
        if await _read(gateways, image_id) is None:
            await retry_until_answered(
                lambda: gateways.sources.begin_create_image(image_id, body), budget_s=BULK_BUDGET_S
            )
        found = await until(lambda: _settled(gateways, image_id), budget_s=polls.MAKE_IMAGE_BUDGET_S)
    except GatewayError as error:
        return _failed(build, MonthReason.AZURE_SAID_NO, f"managed image {name} could not be made: {error}")
    if found is None:
        return {"waiting": True, **_failed(build, MonthReason.TIMED_OUT, f"managed image {name} is still being made")}
    if found.busy is not None:
        return _failed(build, MonthReason.BUILD_FAILED, f"managed image {name} is {found.busy}")
    return {}


async def _settled(gateways: Gateways, image_id: str) -> SourceFacts | None:
    found = await _read(gateways, image_id)
    return None if found is None or found.busy in _MOVING else found


async def _read(gateways: Gateways, image_id: str) -> SourceFacts | None:
    try:
        return await retry_until_answered(
            lambda: gateways.sources.read_source(SourcePart(SourceKind.IMAGE, image_id)), budget_s=BULK_BUDGET_S
        )
    except NotFound:
        return None


def _failed(build: BuildInput, reason: MonthReason, message: str) -> dict[str, Any]:
    return {"row": ImageRow(build.definition, FAILED, reason, message).to_json()}
