"""What a month means for the image definitions: which are built, from what, to which regions. Changes nothing.

Decides what is read for `domain.images` to judge. The dry run and the real run plan with the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from refresh.activities.catalog import Catalog
from refresh.activities.fleet import BUDGET_S, Fleet, collect
from refresh.activities.patience import patiently
from refresh.domain import naming, tags
from refresh.domain.images import check_source, choose_name, find_kept, read_source, target_regions
from refresh.domain.model import Definition, Version
from refresh.domain.month_reason import MonthReason, Refusal
from refresh.gateway import GatewayError, Gateways
from refresh.month_messages import CREATE, FAILED, REFUSE, SKIP, ImageRow
from refresh.settings import Settings


@dataclass(frozen=True)
class VersionPlan:
    """The version of the month: `name` is to be made from VM `source`, or is `kept` as it is."""

    definition: Definition
    name: str
    source: str | None = None
    kept: Version | None = None


@dataclass(frozen=True)
class Builds:
    """The definitions in the monthly build, the regions their versions go to, and the galleries that gave no answer."""

    definitions: tuple[Definition, ...]
    regions: tuple[str, ...]
    rows: tuple[ImageRow, ...]


async def find_builds(gateways: Gateways, settings: Settings) -> Builds:
    """Every definition tagged `AutoRefresh=true` in the configured galleries. GatewayError when regions are unknown."""
    catalog = Catalog(gateways, settings.galleries)
    found: list[Definition] = []
    rows: list[ImageRow] = []
    for gallery in settings.galleries:
        try:
            found.extend(await catalog.definitions_of(gallery))
        except GatewayError as error:
            rows.append(ImageRow(gallery, FAILED, MonthReason.NOT_READ, f"the gallery could not be listed: {error}"))
    tagged = tuple(one for one in found if tags.is_true(tags.value_of(one.tags, tags.AUTO_REFRESH)))
    regions = await scope_regions(gateways) if tagged else ()
    return Builds(tagged, regions, tuple(rows))


async def scope_regions(gateways: Gateways) -> tuple[str, ...]:
    """The regions of every VM in scope, from ARM's lists: Resource Graph selects, it does not tell where a VM is."""
    regions: set[str] = set()
    for subscription in await patiently(gateways.graph.list_subscriptions, budget_s=BUDGET_S):
        list_vms = partial(gateways.compute.list_vms, subscription)
        vms = await patiently(lambda list_vms=list_vms: collect(list_vms()), budget_s=BUDGET_S)  # type: ignore[misc]
        regions.update(naming.region_key(vm.location) for vm in vms if tags.in_scope(vm.tags))
    return tuple(sorted(regions))


async def plan_build(
    gateways: Gateways, definition: Definition, period: str, *, force_rebuild: bool
) -> VersionPlan | Refusal:
    """What to do about `definition` for `period`. GatewayError when Azure would not say."""
    versions = await patiently(lambda: collect(gateways.gallery.list_versions(definition.id)), budget_s=BUDGET_S)
    if not force_rebuild:
        kept = find_kept(versions, tags.value_of(definition.tags, tags.REFRESH_SOURCE), period)
        if kept is not None:
            return VersionPlan(definition, kept.name, kept.source_id, kept)
    source = read_source(definition)
    if isinstance(source, Refusal):
        return source
    refusal = check_source(definition, source, await Fleet(gateways).vm(source.text))
    if refusal is not None:
        return refusal
    name = choose_name(definition, versions, period)
    return name if isinstance(name, Refusal) else VersionPlan(definition, name, source.text)


async def plan_images(
    gateways: Gateways, settings: Settings, period: str, *, force_rebuild: bool = False
) -> list[dict[str, Any]]:
    """The rows `create_images` would end with, and nothing changed. GatewayError when the regions cannot be read."""
    builds = await find_builds(gateways, settings)
    rows = list(builds.rows)
    for definition in builds.definitions:
        try:
            plan = await plan_build(gateways, definition, period, force_rebuild=force_rebuild)
        except GatewayError as error:
            plan = Refusal(MonthReason.NOT_READ, f"the definition could not be read: {error}")
        rows.append(plan_row(definition, plan, builds.regions))
    return [row.to_json() for row in rows]


def plan_row(definition: Definition, plan: VersionPlan | Refusal, regions: Sequence[str]) -> ImageRow:
    """A plan as the row people see."""
    if isinstance(plan, Refusal):
        decision = FAILED if plan.reason is MonthReason.NOT_READ else REFUSE
        return ImageRow(definition.id, decision, plan.reason, plan.message)
    if plan.kept is not None:
        state = plan.kept.provisioning_state
        return ImageRow(definition.id, SKIP, MonthReason.KEPT, f"version {plan.name} exists ({state})", plan.name)
    message = f"version {plan.name} is to be captured from {plan.source}, for "
    message += ", ".join(target_regions(definition, regions))
    return ImageRow(definition.id, CREATE, MonthReason.MISSING, message, plan.name)
