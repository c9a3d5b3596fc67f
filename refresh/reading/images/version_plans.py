"""Plans of the month's image versions: which are built, from which source, for which regions. Changes nothing.

Decides what is read for `domain.images` to judge, and freezes the plan of a build with every request body for ARM. Dry
runs and real runs plan with the same functions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.images.manual_commands import delete_command
from refresh.domain.images.publishing import Demand, Publishing, image_body, target_regions, version_body
from refresh.domain.images.sources import SourceKind
from refresh.domain.images.spec import ImageSpec, check_spec, find_spec
from refresh.domain.images.version_choice import awaits_checks, choose_name, find_kept, find_leftovers
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import collect
from refresh.reading.images.scope import find_builds
from refresh.reading.images.source_plans import SourcePlan, image_id, plan_source
from refresh.reading.recipes.recipe_plans import judge_recipe
from refresh.records.month import CREATE, FAILED, REFUSE, SKIP, BuildInput, ImageRow
from refresh.settings.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VersionPlan:
    """The version of the month: `name` will be made from `made_from`, or is `kept` unchanged.

    `missing` describes the definition itself when it must be made first.
    """

    definition: Definition
    name: str
    publishing: Publishing = field(default_factory=Publishing)
    kept: Version | None = None
    made_from: SourcePlan | None = None
    missing: ImageSpec | None = None
    leftovers: tuple[str, ...] = ()


async def plan_build(
    gateways: Gateways, request: BuildInput, specs: Sequence[ImageSpec], now: str
) -> VersionPlan | Refusal:
    """What to do about the definition of `request`; `now` is ARM's time. Raises GatewayError."""
    spec = find_spec(specs, request.definition)
    try:
        definition = await retry_until_answered(
            lambda: gateways.gallery.read_definition(request.definition), budget_s=BULK_BUDGET_S
        )
        versions = await retry_until_answered(
            lambda: collect(gateways.gallery.list_versions(definition.id)), budget_s=BULK_BUDGET_S
        )
        missing = spec if definition.provisioning_state == "Failed" and not versions else None
    except NotFound:
        if spec is None:
            raise
        definition, versions, missing = spec.definition, [], spec
    refusal = check_spec(spec, definition) if spec is not None else None
    if refusal is not None:
        return refusal
    plan = VersionPlan(definition, "", spec.publishing if spec else Publishing(), missing=missing)
    found = await _choose(gateways, plan, request, versions, now)
    if isinstance(found, Refusal):
        return found
    left = (one.id for one in find_leftovers(versions, now) if one != found.kept)
    return replace(found, leftovers=tuple(left))


async def _choose(
    gateways: Gateways, plan: VersionPlan, request: BuildInput, versions: Sequence[Version], now: str
) -> VersionPlan | Refusal:
    """`plan` with the version to keep, else with its name and source."""
    definition = plan.definition
    named = request.machine or tags.text_of(definition.tags, tags.REFRESH_SOURCE)
    kept = _find_kept(versions, request, lambda version: resource_id.same(version.source_id, named))
    if kept is not None:
        return replace(plan, name=kept.name, kept=kept)
    source = await plan_source(gateways, definition, plan.publishing, request.machine)
    if isinstance(source, Refusal):
        return source
    kept = _find_kept(versions, request, lambda one: resource_id.same(one.source_id, source.key(definition, one.name)))
    if kept is not None:
        return replace(plan, name=kept.name, kept=kept)
    name = choose_name(definition, versions, request.period, now)
    return name if isinstance(name, Refusal) else replace(plan, name=name, made_from=source)


def _find_kept(
    versions: Sequence[Version], request: BuildInput, from_source: Callable[[Version], bool]
) -> Version | None:
    return None if request.force_rebuild else find_kept(versions, from_source, request.period)


def freeze(plan: VersionPlan, request: BuildInput, now: str) -> BuildInput:
    """The build of `plan` with every request body for ARM; Durable's history freezes them."""
    definition = plan.definition
    build = replace(
        request,
        definition=definition.id,
        version=f"{definition.id}/versions/{plan.name}",
        proof=_wants_proof(plan, request),
        leftovers=plan.leftovers,
    )
    if plan.kept is not None or plan.made_from is None:
        kept = plan.kept
        source_id, awaits = (kept.source_id, awaits_checks(kept)) if kept is not None else (None, False)
        wanted = target_regions(definition, request.regions, plan.publishing)
        return replace(build, source=source_id, kept=True, admit=awaits, regions=tuple(wanted))
    if plan.missing is not None:
        build = replace(build, definition_body=dict(plan.missing.body))
    source = plan.made_from.made_from(definition, plan.name)
    if source.os.kind is SourceKind.RECIPE:
        return replace(build, recipe=True)
    demand = Demand(request.regions, request.period, now, request.demand or {})
    body = version_body(definition, source, plan.publishing, demand)
    if plan.made_from.via:
        image = image_body(definition, plan.made_from.source, plan.name, request.period)
        build = replace(build, image=image_id(definition, plan.name), image_body=image)
    regions = target_regions(definition, request.regions, plan.publishing)
    return replace(build, source=source.os.id, body=body, regions=tuple(regions), admit=True)


def _wants_proof(plan: VersionPlan, request: BuildInput) -> bool:
    """The owner's choice in `images.toml`; by default only versions made by a recipe are proved."""
    if plan.publishing.proof is not None:
        return plan.publishing.proof
    made_from = plan.made_from.source.os.kind if plan.made_from else None
    source = tags.text_of(plan.definition.tags, tags.REFRESH_SOURCE)
    return request.proof or request.machine is not None or SourceKind.RECIPE in (made_from, source.lower())


async def plan_images(
    gateways: Gateways,
    settings: Settings,
    specs: Sequence[ImageSpec],
    period: str,
    *,
    force_rebuild: bool = False,
    used_by: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The rows with which `create_images` would end; changes nothing. Raises GatewayError when regions are unread.

    With `used_by` only the definitions that these VMs (ids) use.
    """
    builds = await find_builds(gateways, settings, specs, used_by)
    now = await retry_until_answered(gateways.clock.now, budget_s=BULK_BUDGET_S)
    rows = list(builds.rows)
    for definition in builds.definitions:
        regions = builds.regions_of(definition)
        request = BuildInput(definition.id, period, regions, force_rebuild)
        try:
            plan = await plan_build(gateways, request, specs, now)
            if isinstance(plan, VersionPlan) and plan.made_from and plan.made_from.source.os.kind is SourceKind.RECIPE:
                judged = await judge_recipe(gateways, settings, plan.definition, "dry-run", now)
                plan = judged if isinstance(judged, Refusal) else plan
        except GatewayError as error:
            plan = Refusal(MonthReason.NOT_READ, f"the definition could not be read: {error}")
        except Exception as error:  # one definition must not fail the plan of the others
            _log.exception("unexpected error about %s", definition.id)
            plan = Refusal(MonthReason.BROKEN, f"unexpected {type(error).__name__}; see the log")
        rows.append(plan_row(definition.id, plan, regions))
    return [row.to_json() for row in rows]


def plan_row(definition: str, plan: VersionPlan | Refusal, regions: Sequence[str]) -> ImageRow:
    """A plan as the row of a result."""
    if isinstance(plan, Refusal):
        decision = FAILED if plan.reason in (MonthReason.NOT_READ, MonthReason.BROKEN) else REFUSE
        return ImageRow(definition, decision, plan.reason, plan.message)
    by_hand = tuple(delete_command(version) for version in plan.leftovers)
    if plan.kept is not None or plan.made_from is None:
        state = plan.kept.provisioning_state if plan.kept else None
        return ImageRow(definition, SKIP, MonthReason.KEPT, f"version {plan.name} exists ({state})", plan.name, by_hand)
    message = f"version {plan.name} will be made from {plan.made_from.text()}, for "
    message += ", ".join(target_regions(plan.definition, regions, plan.publishing))
    if plan.missing is not None:
        message = f"the image definition will be made, and {message}"
    return ImageRow(definition, CREATE, MonthReason.MISSING, message, plan.name, by_hand)
