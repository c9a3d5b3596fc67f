"""The source of one build: its tags are parsed, the source is read from Azure and judged. Changes nothing.

Decides what is read for `domain.images.sources` and `domain.images.source_fit`. Dry runs and real runs plan with the
same functions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from refresh.domain.azure.galleries import Definition
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.images.publishing import Publishing
from refresh.domain.images.source_fit import SourceFacts, judge_data_disk, judge_source
from refresh.domain.images.sources import Source, SourceKind, SourcePart, read_source
from refresh.domain.images.version_choice import choose_latest
from refresh.domain.terms import tags
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.domain.terms.resource_id import ResourceId, parse
from refresh.gateways.errors import NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import collect

IMAGES = "Microsoft.Compute/images"


@dataclass(frozen=True)
class SourcePlan:
    """The source of a version as it was read; with `via` a managed image is made of it first."""

    source: Source
    via: bool = False

    def key(self, definition: Definition, version: str) -> str:
        """The id that version `version`, made by this plan, names as its source."""
        return image_id(definition, version) if self.via else self.source.os.id

    def made_from(self, definition: Definition, version: str) -> Source:
        """The source that the version itself is made from."""
        return Source(SourcePart(SourceKind.IMAGE, image_id(definition, version))) if self.via else self.source

    def text(self) -> str:
        """The source as text for people."""
        if self.source.os.kind is SourceKind.RECIPE:
            return "its recipe"
        disks = f" with {len(self.source.data)} data disk(s)" if self.source.data else ""
        return f"{self.source.os.id}{disks}{' through a managed image' if self.via else ''}"


def image_id(definition: Definition, version: str) -> str:
    """The id of the managed image that is made between VHDs and a version: beside the gallery, one for each version."""
    return _home(definition).sibling(IMAGES, f"{definition.name[:60]}-{version}")


async def plan_source(
    gateways: Gateways, definition: Definition, publishing: Publishing, machine: str | None = None
) -> SourcePlan | Refusal:
    """The source of `definition`'s next version, or why there is none. Raises GatewayError.

    `machine` is a VM made for this build only; without one the definition's tags name the source.
    """
    source = read_source(definition) if machine is None else Source(SourcePart(SourceKind.VM, machine))
    if isinstance(source, Refusal):
        return source
    if source.latest:
        found = await _find_latest(gateways, definition, source)
        if isinstance(found, Refusal):
            return found
        source = found
    if source.os.kind is SourceKind.RECIPE:
        # The result of a recipe is judged when the recipe runs; there is no resource to read yet.
        return SourcePlan(source)
    refusal = await _judge(gateways, definition, source, ephemeral=machine is not None)
    if refusal is not None:
        return refusal
    return _route(definition, source, publishing)


async def _judge(gateways: Gateways, definition: Definition, source: Source, *, ephemeral: bool) -> Refusal | None:
    for part in (source.os, *source.data):
        try:
            facts = await _read(gateways, part, source.storage)
        except NotFound:
            return _gone(definition, part, source.storage)
        refusal = (
            judge_source(definition, facts, ephemeral=ephemeral)
            if part.lun is None
            else judge_data_disk(definition, facts)
        )
        if refusal is not None:
            return refusal
    return None


async def _read(gateways: Gateways, part: SourcePart, storage: str | None) -> SourceFacts:
    return await retry_until_answered(lambda: gateways.sources.read_source(part, storage), budget_s=BULK_BUDGET_S)


def _gone(definition: Definition, part: SourcePart, storage: str | None) -> Refusal:
    tag = tags.REFRESH_SOURCE if part.lun is None else f"{tags.REFRESH_SOURCE_LUN}{part.lun}"
    account = f"storage account {(storage or '').rsplit('/', 1)[-1]}"
    what = account if part.kind is SourceKind.VHD else f"{part.kind} {_name(part)}"
    return Refusal(
        MonthReason.SOURCE_GONE, f"{what}, the {tag} of {definition.name}, does not exist; name an existing one"
    )


async def _find_latest(gateways: Gateways, definition: Definition, source: Source) -> Source | Refusal:
    try:
        versions = await retry_until_answered(
            lambda: collect(gateways.gallery.list_versions(source.os.id)), budget_s=BULK_BUDGET_S
        )
    except NotFound:
        return _gone(definition, source.os, None)
    latest = choose_latest(versions)
    if latest is not None:
        return replace(source, os=SourcePart(SourceKind.VERSION, latest.id), latest=False)
    return Refusal(
        MonthReason.SOURCE_GONE,
        f"image definition {_name(source.os)}, the {tags.REFRESH_SOURCE} of {definition.name}, has no version that is "
        "finished and not excluded from latest; make one or name a version",
    )


def _route(definition: Definition, source: Source, publishing: Publishing) -> SourcePlan | Refusal:
    """Whether VHDs become a version directly or through a managed image, as `images.toml` sets."""
    if not publishing.via_image or source.os.kind is not SourceKind.VHD:
        return SourcePlan(source)
    if definition.os_state != "Generalized" or any(part.kind is not SourceKind.VHD for part in source.data):
        return Refusal(
            MonthReason.SOURCE_DOES_NOT_FIT,
            f"via_managed_image needs a Generalized definition and VHDs only, {definition.name} is "
            f"{definition.os_state}; remove it from images.toml",
        )
    return SourcePlan(source, via=True)


def _name(part: SourcePart) -> str:
    found = parse(part.id)
    return "/".join(found.names[-2:]) if found and part.kind is SourceKind.VERSION else part.id.rsplit("/", 1)[-1]


def _home(definition: Definition) -> ResourceId:
    found = parse(definition.id)
    assert found is not None, "a definition has a definition's id"  # noqa: S101
    return found
