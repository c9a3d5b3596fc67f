"""Activity: deletes what a failed build made and no disk can use; returns commands for the rest.

Only a failed version that the app began and that is in no region is deleted, with the managed image that was made for
it. A person decides about everything else.
"""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.galleries import Version
from refresh.domain.azure.refusals import tell_refusal
from refresh.domain.images.manual_commands import delete_command, retry_commands
from refresh.domain.images.replication import MOVING
from refresh.domain.images.sources import SourceKind, SourcePart
from refresh.domain.images.version_choice import has_arrived_nowhere
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import BUDGET_S
from refresh.records.month import BuildInput


async def discard_version(data: dict[str, Any]) -> dict[str, Any]:
    """`BuildInput` to `{"waiting": True}` (call again) or `{"message", "by_hand"}`: what is gone, what is left."""
    return await discard(wiring.gateways(), BuildInput.from_json(data))


async def discard(gateways: Gateways, build: BuildInput) -> dict[str, Any]:
    """The result of `discard_version`, over `gateways`: reads what exists and deletes what can be deleted."""
    version_id = build.version or ""
    by_hand: tuple[str, ...] = ()
    try:
        version = await _read(gateways, version_id)
        if version is not None:
            if version.provisioning_state in MOVING:
                # The answer to the PUT was lost, but Azure had accepted it.
                return {"message": "Azure is making it although its answer was lost; run again to continue"}
            if version.provisioning_state == "Deleting":
                return {"waiting": True, "by_hand": [delete_command(version_id)]}
            if not has_arrived_nowhere(version):
                return {"by_hand": list(_left(version, build))}
            await retry_until_answered(lambda: gateways.gallery.begin_delete_version(version_id), budget_s=BUDGET_S)
            return {"waiting": True, "by_hand": [delete_command(version_id)]}
    except GatewayError as error:
        by_hand = (delete_command(version_id),)
        why = tell_refusal(error.code, error.message)
        message = f"it could not be deleted: {why}"
        return {"message": message[:200], "by_hand": [*by_hand, *_image(build)]}
    return await _discard_image(gateways, build)


async def _discard_image(gateways: Gateways, build: BuildInput) -> dict[str, Any]:
    image = build.image
    if image is None:
        return {"message": "nothing of it is left"}
    try:
        await retry_until_answered(
            lambda: gateways.sources.read_source(SourcePart(SourceKind.IMAGE, image)), budget_s=BUDGET_S
        )
        await retry_until_answered(lambda: gateways.sources.begin_delete_image(image), budget_s=BUDGET_S)
    except NotFound:
        return {"message": "nothing of it is left"}
    except GatewayError as error:
        why = tell_refusal(error.code, error.message)
        message = f"its managed image could not be deleted: {why}"
        return {"message": message[:200], "by_hand": list(_image(build))}
    return {"waiting": True, "by_hand": list(_image(build))}


async def _read(gateways: Gateways, version_id: str) -> Version | None:
    try:
        return await retry_until_answered(lambda: gateways.gallery.read_version(version_id), budget_s=BUDGET_S)
    except NotFound:
        return None


def _left(version: Version, build: BuildInput) -> tuple[str, ...]:
    return (*retry_commands(version), delete_command(version.id), *_image(build))


def _image(build: BuildInput) -> tuple[str, ...]:
    return (delete_command(build.image),) if build.image else ()
