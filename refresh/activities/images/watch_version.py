"""Activity: reads once how far an image version is. It is done when it was read back as replicated to every region."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.images.manual_commands import delete_command, retry_commands
from refresh.domain.images.replication import (
    Progress,
    ReplicationStanding,
    is_usable_in_part,
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
    """`{"standing": "waiting"|"done"|"failed", "row": ImageRow, "regions", "partial"?}`.

    With `waiting` a build that gives up ends with `row`; `regions` is the progress in each region, as text for people.
    `partial`: the version is not complete, and can be used where it has arrived.
    """
    return await read_build(wiring.gateways(), BuildInput.from_json(data))


async def read_build(gateways: Gateways, build: BuildInput) -> dict[str, Any]:
    """The result of `watch_version`, over `gateways`."""
    version_id = build.version or ""
    name = version_id.rsplit("/", 1)[-1]
    regions: list[str] = []
    shares: dict[str, str] = {}
    by_hand: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    partial = False
    try:
        version = await retry_until_answered(lambda: gateways.gallery.read_version(version_id), budget_s=BULK_BUDGET_S)
        regions = sorted({region_key(region) for region in (version.location, *build.regions)})
        progress, shares = judge_version(version, regions), progress_by_region(version)
        reached = regions_reached(version)
        partial = progress.reason is MonthReason.NOT_REPLICATED and is_usable_in_part(version)
        if progress.standing is ReplicationStanding.FAILED and (build.kept or partial):
            # The failed regions are removed when the version is admitted; what is left is to add them again.
            by_hand = retry_commands(version, regions)[-1 if build.admit else 0 :]
    except NotFound:
        progress = Progress(
            ReplicationStanding.FAILED, MonthReason.BUILD_FAILED, f"version {name} does not exist any more"
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
        message = f"version {name} was made and is replicated to {', '.join(regions)}{_still_needed(build)}"
        spare = (delete_command(build.image),) if build.image else ()
        row = ImageRow(build.definition, CREATE, MonthReason.MADE, message, name, spare, regions=reached)
    found = {"standing": str(progress.standing), "row": row.to_json(), "regions": shares}
    return found | ({"partial": True} if partial else {})


def _still_needed(build: BuildInput) -> str:
    """What must stay beside the finished version: regions can be added only while its managed image exists.

    https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries
    """
    source = parse(build.source)
    if source is None or source.type != "microsoft.compute/images":
        return ""
    return f"; keep managed image {source.name} as long as regions can still be added"
