"""Activity: looks once how far an image version is. Done is what was read back, in every region, and nothing less."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.images.manual_commands import delete_command, retry_commands
from refresh.domain.images.replication import (
    Progress,
    ReplicationStanding,
    judge_version,
    progress_by_region,
    regions_reached,
)
from refresh.domain.terms.month_reason import MonthReason
from refresh.domain.terms.names import region_key
from refresh.domain.terms.resource_id import parse
from refresh.gateways.errors import GatewayError, NotFound, Unavailable
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.records.month import CREATE, FAILED, SKIP, BuildInput, ImageRow


async def watch_version(data: dict[str, Any]) -> dict[str, Any]:
    """`{"standing": "waiting"|"done"|"failed", "row": ImageRow, "regions"}`.

    A wait has the row it ends with if given up; `regions` says how far the version is in each, for people to read.
    """
    return await look_at_build(wiring.gateways(), BuildInput.from_json(data))


async def look_at_build(gateways: Gateways, build: BuildInput) -> dict[str, Any]:
    """What `watch_version` answers, over `gateways`."""
    version_id = build.version or ""
    name = version_id.rsplit("/", 1)[-1]
    regions: list[str] = []
    told: dict[str, str] = {}
    by_hand: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    try:
        version = await retry_until_answered(lambda: gateways.gallery.read_version(version_id), budget_s=BULK_BUDGET_S)
        regions = sorted({region_key(region) for region in (version.location, *build.regions)})
        progress, told = judge_version(version, regions), progress_by_region(version)
        reached = regions_reached(version)
        if build.kept and progress.standing is ReplicationStanding.FAILED:
            by_hand = retry_commands(version, regions)
    except NotFound:
        progress = Progress(
            ReplicationStanding.FAILED, MonthReason.BUILD_FAILED, f"version {name} is not there any more"
        )
    except Unavailable as error:
        message = f"version {name} could not be read: {error}"
        progress = Progress(ReplicationStanding.WAITING, MonthReason.NOT_READ, message)
    except GatewayError as error:
        progress = Progress(
            ReplicationStanding.FAILED, MonthReason.NOT_READ, f"version {name} could not be read: {error}"
        )
    if progress.standing is not ReplicationStanding.DONE:
        row = ImageRow(build.definition, FAILED, progress.reason, progress.message, name, by_hand, regions=reached)
    elif build.kept:
        message = f"version {name} exists in {', '.join(regions)}"
        row = ImageRow(build.definition, SKIP, MonthReason.KEPT, message, name, regions=reached)
    else:
        message = f"version {name} was made and has arrived in {', '.join(regions)}{_still_needed(build)}"
        spare = (delete_command(build.image),) if build.image else ()
        row = ImageRow(build.definition, CREATE, MonthReason.MADE, message, name, spare, regions=reached)
    return {"standing": str(progress.standing), "row": row.to_json(), "regions": told}


def _still_needed(build: BuildInput) -> str:
    """What must stay although the version stands: regions can only be added while its managed image is there.

    https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries
    """
    source = parse(build.source)
    if source is None or source.type != "microsoft.compute/images":
        return ""
    return f"; keep managed image {source.name} as long as regions may be added to it"
