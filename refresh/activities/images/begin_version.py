"""Activity: begins to make an image version, once, also when it is called again.

An existing version of the chosen name and the same source belongs to this build: an earlier call with a lost answer, or
another run with the same choice, began it. So two runs never make two versions.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from refresh import wiring
from refresh.domain.azure.galleries import Version
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.images.publishing import without_refused_region
from refresh.domain.terms import resource_id
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import GatewayError, NotFound, Refused
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.records.month import FAILED, BuildInput, ImageRow

_MAX_REFUSAL = 300


async def begin_version(data: dict[str, Any]) -> dict[str, Any]:
    """`{"token"?}` when the version is being made, `{"row": ImageRow}` when it cannot be. The token is a secret.

    `without` is Azure's refusal of a region, where the version is made for the others only.
    """
    return await begin_build(wiring.gateways(), BuildInput.from_json(data))


async def begin_build(gateways: Gateways, build: BuildInput) -> dict[str, Any]:
    """The result of `begin_version`, over `gateways`."""
    version_id, source = build.version or "", build.source or ""
    name = version_id.rsplit("/", 1)[-1]
    try:
        existing = await _read(gateways, version_id)
        if existing is None:
            return await _put(gateways, build, version_id, source)
    except GatewayError as error:
        return _failed(build, name, MonthReason.AZURE_SAID_NO, f"version {name} could not be made: {error}")
    if resource_id.same(existing.source_id, source):
        return {}
    message = f"version {name} was made from another source meanwhile; run again"
    return _failed(build, name, MonthReason.BUILD_UNDER_WAY, message)


async def _put(gateways: Gateways, build: BuildInput, version_id: str, source: str) -> dict[str, Any]:
    body, without = dict(build.body or {}), {}
    while True:
        try:
            begun = await retry_until_answered(
                partial(gateways.gallery.begin_create_version, version_id, body), budget_s=BULK_BUDGET_S
            )
        except Refused as error:
            existing = await _read(gateways, version_id)
            if existing is not None and resource_id.same(existing.source_id, source):
                return {}
            # One region that Azure does not allow must not keep the version from the others.
            smaller = without_refused_region(body, error.message)
            if smaller is None:
                raise
            body, without = smaller, {"without": f"{error}"[:_MAX_REFUSAL]}
        else:
            return ({"token": begun.token} if begun.token else {}) | without


async def _read(gateways: Gateways, version_id: str) -> Version | None:
    try:
        return await retry_until_answered(lambda: gateways.gallery.read_version(version_id), budget_s=BULK_BUDGET_S)
    except NotFound:
        return None


def _failed(build: BuildInput, name: str, reason: MonthReason, message: str) -> dict[str, Any]:
    return {"row": ImageRow(build.definition, FAILED, reason, message, name).to_json()}
