"""Plans a whole month for the dry run: images, disks, tags and swaps. Changes nothing.

Decides which resources are treated as existing although they are only planned: versions to be built, disks to be made.
Everything else is planned by the functions of the real run and decided like a real swap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Region, Version
from refresh.domain.images.spec import ImageSpec, find_spec
from refresh.domain.swap.decided_vm import DecidedVm
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.errors import NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.disks.checked_plans import CheckedPlans, checks_for
from refresh.reading.disks.disk_plans import DiskPlan, each_vm, plan_row
from refresh.reading.disks.swap_checks import planned_disk
from refresh.reading.disks.tag_plans import DeclinedBy, is_declined, nothing_declined, why_declined
from refresh.reading.fleet.subscription_lists import Inventory
from refresh.reading.fleet.vms_and_disks import read_fleet
from refresh.reading.images.galleries import Catalog
from refresh.reading.images.version_plans import plan_images
from refresh.reading.swap.decide_many import (
    READ_SINGLY,
    Recall,
    decide_exactly,
    decide_from_lists,
    listed_source,
    with_wishes,
)
from refresh.reading.swap.facts import DiskSource, FactSource, ImageSource
from refresh.reading.swap.listed_facts import Source
from refresh.records.month import AUTO, CREATE, SKIP, MonthInput, VmRow
from refresh.settings.settings import Settings


@dataclass(frozen=True)
class MonthPlan:
    """The result of a month: rows of definitions, rows of VMs' disks, and with rollout the decision about each VM.

    `swaps` are by lower-case VM id; `new_disks` are the ids of the disks that would be made.
    """

    images: Sequence[dict[str, Any]]
    disks: Sequence[dict[str, Any]]
    swaps: Mapping[str, DecidedVm] = field(default_factory=dict)
    new_disks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class MonthBasis:
    """What a month is planned from: images of `images.toml`, lists of all resources, the dispatcher state on VMs.

    `named` are the VMs that a person named: only the definitions that they use are built. None: those of all.
    """

    specs: Sequence[ImageSpec]
    inventory: Inventory
    recall: Recall
    declined_by: DeclinedBy = nothing_declined
    named: tuple[str, ...] = ()


async def plan_month(
    gateways: Gateways, settings: Settings, request: MonthInput, period: str, basis: MonthBasis
) -> MonthPlan:
    """The month of `request` for its `vms` (all of them named). Raises GatewayError."""
    specs = basis.specs
    images = await plan_images(
        gateways, settings, specs, period, force_rebuild=request.force_rebuild, used_by=basis.named
    )
    planned = {row["definition"].lower(): row["version"] for row in images if row["decision"] == CREATE}
    plans: dict[str, DiskPlan] = {}
    fleet = await read_fleet(gateways, request.vms)
    checks = checks_for(gateways, settings, request.vms, basis.recall, force=request.force)
    checked = CheckedPlans(fleet, _PlannedCatalog(gateways, settings.galleries, planned, specs), checks, period)

    async def plan(vm_id: str) -> VmRow:
        found = await checked.plan(vm_id)
        if isinstance(found, VmRow):
            return found
        plans[vm_id.lower()] = found
        return plan_row(found)

    rows = await each_vm(request.vms, plan, burst=len(request.vms))
    made = {plan.disk_id.lower(): planned_disk(plan, period) for plan in plans.values() if plan.existing is None}
    if (request.rollout or settings.rollout) != AUTO:
        return MonthPlan(images, rows, new_disks=frozenset(made))
    declined = {} if request.force else {vm: plan for vm, plan in plans.items() if _is_left_out(plan, basis)}
    rows = [_without_tag(row, declined.get(row["vm"].lower())) for row in rows]
    wishes = {
        vm: plan.name
        for vm, plan in plans.items()
        if vm not in declined and not _runs_version(plan) and not plan.vm.own_tags.on_hold
    }
    exactly = len(wishes) <= READ_SINGLY
    base: FactSource = gateways if exactly else listed_source(gateways, basis.inventory)
    images_to_be = _PlannedImages(base.gallery, planned, specs)
    future = Source(base.compute, _PlannedDisks(base.disks, made), images_to_be, base.access)
    vms = [vm for vm in request.vms if vm.lower() in wishes]
    decide = decide_exactly if exactly else decide_from_lists
    source = with_wishes(future, wishes)
    swaps = await decide(source, settings, vms, basis.recall, force=request.force, warning=gateways)
    return MonthPlan(images, rows, {decided.vm_id.lower(): decided for decided in swaps}, frozenset(made))


def _is_left_out(plan: DiskPlan, basis: MonthBasis) -> bool:
    return is_declined(plan, basis.declined_by(plan.vm.id)) and not _runs_version(plan)


def _without_tag(row: dict[str, Any], plan: DiskPlan | None) -> dict[str, Any]:
    if plan is None:
        return row
    return {**row, "decision": SKIP, "reason": str(MonthReason.ROLLED_BACK_BEFORE), "message": why_declined(plan)}


def _runs_version(plan: DiskPlan) -> bool:
    return resource_id.same(plan.current.source_version, plan.version.id)


def _version_of(version_id: str, location: str, source: str | None = None) -> Version:
    """The version as it will be once it is built and replicated."""
    return Version(
        id=version_id,
        name=version_id.rsplit("/", 1)[-1],
        location=location,
        provisioning_state="Succeeded",
        regions=(Region(location, "Completed", 100),),
        source_id=source,
    )


class _PlannedCatalog(Catalog):
    """The catalog as it will be once the planned versions (by lower-case definition id) are built."""

    def __init__(
        self, gateways: Gateways, galleries: Sequence[str], planned: Mapping[str, str], specs: Sequence[ImageSpec]
    ) -> None:
        super().__init__(gateways, galleries)
        self._planned, self._specs = planned, specs

    async def definitions_of(self, gallery: str) -> list[Definition]:
        there = await super().definitions_of(gallery)
        known = {definition.id.lower() for definition in there}
        made = [spec.definition for spec in self._specs if spec.definition.id.lower() in self._planned]
        return [*there, *(one for one in made if one.id.lower() not in known and _is_in(one, gallery))]

    async def latest(self, definition: Definition, region: str, edge_zone: str | None = None) -> Version | Refusal:
        name = self._planned.get(definition.id.lower())
        if name is None or edge_zone is not None:  # a new version is replicated to no edge zone
            return await super().latest(definition, region, edge_zone)
        source = tags.text_of(definition.tags, tags.REFRESH_SOURCE)
        return _version_of(f"{definition.id}/versions/{name}", region, source)


def _is_in(definition: Definition, gallery: str) -> bool:
    return definition.id.lower().startswith(f"{gallery.lower()}/images/")


@dataclass(frozen=True)
class _PlannedDisks:
    """Disks as they will be once the planned ones (by lower-case id) are made."""

    disks: DiskSource
    planned: Mapping[str, Disk]

    async def read_disk(self, disk_id: str) -> Disk:
        return self.planned.get(disk_id.lower()) or await self.disks.read_disk(disk_id)


@dataclass(frozen=True)
class _PlannedImages:
    """Image versions as they will be once the planned ones are built."""

    images: ImageSource
    planned: Mapping[str, str]
    specs: Sequence[ImageSpec]

    async def read_version(self, version_id: str) -> Version:
        definition_id, _, name = version_id.rpartition("/versions/")
        if self.planned.get(definition_id.lower()) != name:
            return await self.images.read_version(version_id)
        definition = await self.read_definition(definition_id)
        return _version_of(version_id, definition.location, tags.text_of(definition.tags, tags.REFRESH_SOURCE))

    async def read_definition(self, definition_id: str) -> Definition:
        try:
            return await self.images.read_definition(definition_id)
        except NotFound:
            spec = find_spec(self.specs, definition_id)
            if spec is None:
                raise
            return spec.definition
