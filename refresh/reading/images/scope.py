"""Which image definitions are in the monthly build, the target regions of their versions, and how many VMs use each.

Decides what is read to find that out. Changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from refresh.domain.azure.galleries import Definition
from refresh.domain.azure.polls import BULK_BUDGET_S, BULK_LIST_LIMIT_S
from refresh.domain.azure.vms import Vm
from refresh.domain.disks.image_choice import can_need, choose_definition
from refresh.domain.images.spec import ImageSpec
from refresh.domain.terms import names, resource_id, tags
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.each_subscription import Parts, raise_if_none
from refresh.reading.fleet.subscription_lists import list_vms_of_each
from refresh.reading.fleet.vms_and_disks import read_fleet
from refresh.reading.images.galleries import Catalog
from refresh.records.month import FAILED, ImageRow
from refresh.settings.settings import Settings

_READS_AT_ONCE = 8


@dataclass(frozen=True)
class Builds:
    """The definitions in the monthly build (missing ones of `images.toml` included) and the regions of the VMs.

    `regions` are those of all VMs in scope, `demand` is how many VMs can need a disk from each definition (by id), by
    region; `rows` are galleries and subscriptions that could not be read.
    """

    definitions: tuple[Definition, ...]
    regions: tuple[str, ...]
    rows: tuple[ImageRow, ...]
    demand: dict[str, dict[str, int]] = field(default_factory=dict)

    def regions_of(self, definition: Definition) -> tuple[str, ...]:
        """The regions of the VMs that can need a disk from `definition`: a VM elsewhere must not delay its version."""
        return tuple(sorted(self.demand.get(definition.id, {})))


async def find_builds(
    gateways: Gateways, settings: Settings, specs: Sequence[ImageSpec] = (), used_by: Sequence[str] = ()
) -> Builds:
    """Every definition tagged `AutoRefresh=true` in the configured galleries; with `used_by` those of these VMs (ids).

    The regions are those of all VMs that could be read, because the version is every VM's. GatewayError when no
    subscription could.
    """
    catalog = Catalog(gateways, settings.galleries)
    found: list[Definition] = []
    rows: list[ImageRow] = []
    for gallery in settings.galleries:
        try:
            there = await catalog.definitions_of(gallery)
        except GatewayError as error:
            rows.append(ImageRow(gallery, FAILED, MonthReason.NOT_READ, f"the gallery could not be listed: {error}"))
        else:
            found += [*there, *_missing(gallery, there, specs)]
    tagged = tuple(one for one in found if tags.is_true(tags.value_of(one.tags, tags.AUTO_REFRESH)))
    if used_by and tagged:
        used = await _used_by(gateways, used_by, found)
        tagged = tuple(one for one in tagged if one.id in used)
    parts = await list_scope_vms(gateways) if tagged else Parts[list[Vm]]({}, {})
    vms = [vm for part in parts.read.values() for vm in part]
    for subscription, unread in parts.unread.items():
        message = f"the regions of its VMs are not known, and versions are made for those of the others: {unread}"
        rows.append(ImageRow(f"/subscriptions/{subscription}", FAILED, MonthReason.NOT_READ, message))
    regions = tuple(sorted({names.region_key(vm.location) for vm in vms if vm.location}))
    return Builds(tagged, regions, tuple(rows), {one.id: _demand(one, vms) for one in tagged})


async def _used_by(gateways: Gateways, vm_ids: Sequence[str], definitions: Sequence[Definition]) -> set[str]:
    """Ids of the definitions from which the next disks of these VMs are made.

    A VM that cannot be read, or for which there is no one definition, uses none: the month makes no disk for it.
    """
    fleet = await read_fleet(gateways, vm_ids)
    at_once = asyncio.Semaphore(_READS_AT_ONCE)

    async def choose(vm_id: str) -> str | None:
        async with at_once:
            try:
                vm = await fleet.vm(vm_id)
                current = await fleet.disk(vm.os_disk_id) if vm is not None and vm.os_disk_id else None
            except GatewayError:
                return None
        if vm is None or current is None or not vm.own_tags.in_scope:
            return None
        chosen = choose_definition(vm, current, definitions)
        return None if isinstance(chosen, Refusal) else chosen.id

    return {found for found in await asyncio.gather(*(choose(vm_id) for vm_id in vm_ids)) if found is not None}


async def list_scope_vms(gateways: Gateways) -> Parts[list[Vm]]:
    """The VMs in scope of each subscription, from ARM's lists: the query of Resource Graph does not return regions.

    GatewayError when no subscription could be read.
    """
    subscriptions = await retry_until_answered(gateways.graph.list_subscriptions, budget_s=BULK_BUDGET_S)
    listed = await list_vms_of_each(gateways, list(subscriptions), budget_s=BULK_BUDGET_S, limit_s=BULK_LIST_LIMIT_S)
    parts = raise_if_none(listed)
    in_scope = {one: [vm for vm in found.values() if vm.own_tags.in_scope] for one, found in parts.read.items()}
    return Parts(in_scope, parts.unread)


def _missing(gallery: str, there: Iterable[Definition], specs: Iterable[ImageSpec]) -> list[Definition]:
    known = {definition.id.lower() for definition in there}
    return [
        spec.definition
        for spec in specs
        if spec.definition.id.lower() not in known
        and resource_id.same(spec.definition.id.rpartition("/images/")[0], gallery)
    ]


def _demand(definition: Definition, vms: Iterable[Vm]) -> dict[str, int]:
    """How many VMs can need a disk from `definition`, by region."""
    regions = (names.region_key(vm.location) for vm in vms if vm.location and can_need(vm, definition))
    return dict(Counter(regions))
