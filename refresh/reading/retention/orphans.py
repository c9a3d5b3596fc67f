"""Reads resources that builds can have left unfinished, from lists only. Changes nothing.

Decides which lists are read: disks of the configured subscriptions, versions and managed images beside the galleries,
temporary groups. Leaves the judgement to `domain.retention.orphans`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from refresh.domain.azure.galleries import Version
from refresh.domain.azure.managed_images import Image
from refresh.domain.azure.polls import LIST_BUDGET_S
from refresh.domain.recipes.temporary_group import Group
from refresh.domain.retention.disks import is_ours
from refresh.domain.retention.orphans import Orphan, orphaned_disks, orphaned_groups, orphaned_images, orphaned_versions
from refresh.domain.terms import resource_id
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.each_subscription import raise_if_none
from refresh.reading.fleet.subscription_lists import list_disks_of_each, list_subscriptions
from refresh.reading.fleet.vms_and_disks import collect
from refresh.reading.images.galleries import Catalog
from refresh.reading.retention.survey import building_among
from refresh.settings.settings import Settings


async def find_orphans(
    gateways: Gateways, settings: Settings, open_runs: Collection[str]
) -> tuple[list[Orphan], Mapping[str, GatewayError]]:
    """Every unfinished resource that none of `open_runs` (instance ids) works on. Raises GatewayError.

    And by subscription why the disks of some could not be listed.
    """
    now = await retry_until_answered(gateways.clock.now, budget_s=LIST_BUDGET_S)
    galleries = frozenset(gallery.lower() for gallery in settings.galleries)
    disks = raise_if_none(await list_disks_of_each(gateways, await list_subscriptions(gateways)))
    listed = (disk for part in disks.read.values() for disk in part.values())
    found = orphaned_disks(disk for disk in listed if is_ours(disk, galleries))
    catalog, is_building = Catalog(gateways, settings.galleries, budget_s=LIST_BUDGET_S), building_among(open_runs)
    versions: list[Version] = []
    building: list[str] = []
    for definition in await catalog.definitions():
        known = await catalog.versions(definition.id)
        versions += known
        if is_building(definition.id):
            building.append(definition.name)
        else:
            found += orphaned_versions(known, now)
    images = [image for gallery in settings.galleries for image in await _images_beside(gateways, gallery)]
    found += orphaned_images(images, versions, building)
    return found + orphaned_groups(await _list_groups(gateways, settings), open_runs), disks.unread


async def _images_beside(gateways: Gateways, gallery: str) -> list[Image]:
    home = resource_id.parse(gallery)
    if home is None:
        return []
    return await retry_until_answered(
        lambda: collect(gateways.sources.list_images(home.group_id)), budget_s=LIST_BUDGET_S
    )


async def _list_groups(gateways: Gateways, settings: Settings) -> list[Group]:
    found: list[Group] = []
    for subscription in sorted({subnet.split("/")[2].lower() for subnet in settings.build_subnets}):
        listing = partial(gateways.temporary_groups.list_groups, subscription)
        found += await retry_until_answered(lambda listing=listing: collect(listing()), budget_s=LIST_BUDGET_S)  # type: ignore[misc]
    return found
