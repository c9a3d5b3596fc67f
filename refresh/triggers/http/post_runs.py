"""POST images, disks, tags, swap, adopt, refresh: start a run, or with `dryRun` answer what it would do.

Decides which keys of a body each takes and which orchestration it starts. Orchestrations get ids, never plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.domain.terms import names, resource_id, tags
from refresh.gateways.gateways import Gateways
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.fleet.scope import unread_rows
from refresh.reading.vm_memory import read_all_memory
from refresh.records import durable_names
from refresh.records.month import MonthInput
from refresh.records.swap_request import SwapRequest
from refresh.triggers.http.dry_run import DryRun
from refresh.triggers.http.problem import Problem, ProblemKind, answering, ok
from refresh.triggers.http.requests import Body, read_body
from refresh.triggers.http.single_runs import SingleRun, start_single
from refresh.triggers.http.vm_names import find_scope, find_vms
from refresh.views.dispatcher_state import DispatcherView

_IMAGES = ("all", "period", "rebuild", "dryRun")
_DISKS = ("vms", "all", "period", "dryRun")
_TAGS = ("vms", "all", "period", "force", "dryRun")
_SWAP = ("vms", "all", "disk", "force", "dryRun")
_ADOPT = ("vms", "all", "dryRun")
_REFRESH = ("vms", "all", "period", "rollout", "force", "rebuild", "dryRun")


@answering
async def post_images(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST images`: build the month's version of every image definition in the monthly build."""
    body = read_body(req, _IMAGES)
    gateways, period = wiring.gateways(), await _period(body)
    request = MonthInput(period, force_rebuild=body.rebuild)
    if body.dry_run:
        return ok(await (await _dry_run(gateways, client)).images(request, period))
    return await start_single(client, SingleRun("images", period, durable_names.CREATE_IMAGES, request.to_json()))


@answering
async def post_disks(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST disks`: make the month's disk for these VMs, or for every VM in scope."""
    body = read_body(req, _DISKS)
    gateways, period = wiring.gateways(), await _period(body)
    request = MonthInput(period, vms=await _named(gateways, body))
    if body.dry_run:
        planner = await _dry_run(gateways, client)
        request, unread = await _with_scope(gateways, request)
        return ok(await planner.disks(request, period) | {"unread": unread})
    return await start_single(
        client, SingleRun("disks", period, durable_names.CREATE_DISKS, request.to_json(), by_input=True)
    )


@answering
async def post_tags(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST tags`: make `OsDiskName` of these VMs, or with `all` of every VM in scope, name the month's disk."""
    body = read_body(req, _TAGS, must_name_vms=True)
    gateways, period = wiring.gateways(), await _period(body)
    request = MonthInput(period, vms=await _named(gateways, body), force=body.force)
    if body.dry_run:
        planner = await _dry_run(gateways, client)
        request, unread = await _with_scope(gateways, request)
        return ok(await planner.tags(request, period) | {"unread": unread})
    return await start_single(
        client, SingleRun("tags", period, durable_names.WRITE_TAGS, request.to_json(), by_input=True)
    )


@answering
async def post_swap(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST swap`: swap these VMs to the disk in their tag, or to `disk`, which is written into the tag first."""
    return await _swap(client, read_body(req, _SWAP, must_name_vms=True))


@answering
async def post_adopt(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST adopt`: make `OsDiskName` of these VMs name the disk that each runs."""
    body, gateways = read_body(req, _ADOPT, must_name_vms=True), wiring.gateways()
    request, unread = await _with_scope(gateways, MonthInput(vms=await _named(gateways, body)))
    if body.dry_run:
        return ok(await (await _dry_run(gateways, client)).adopt(request.vms) | {"unread": unread})
    data = SwapRequest(request.vms, adopt=True, paced=True).to_json()
    wanted = SingleRun("adopt", await _period(body), durable_names.SWAP_VMS, data, by_input=True)
    return await start_single(client, wanted, unread=unread)


@answering
async def post_refresh(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST refresh`: the whole month; it goes on to tags and swaps with `"rollout": "auto"` or by the setting."""
    body = read_body(req, _REFRESH)
    gateways, period = wiring.gateways(), await _period(body)
    request = MonthInput(
        period,
        vms=await _named(gateways, body),
        rollout=body.rollout,
        force=body.force,
        force_rebuild=body.rebuild,
    )
    if body.dry_run:
        planner = await _dry_run(gateways, client)
        named = request.vms
        request, unread = await _with_scope(gateways, request)
        return ok(await planner.month(request, period, named) | {"unread": unread})
    return await start_single(client, SingleRun("month", period, durable_names.REFRESH_MONTH, request.to_json()))


async def _swap(client: DurableFunctionsClient, body: Body) -> func.HttpResponse:
    gateways = wiring.gateways()
    request, unread = await _with_scope(gateways, MonthInput(vms=await _named(gateways, body)))
    vms = request.vms
    disk = tags.PREVIOUS if (body.disk or "").lower() == tags.PREVIOUS else body.disk
    _refuse_shared(vms, disk)
    if body.dry_run:
        plan = await (await _dry_run(gateways, client)).swap(vms, disk, force=body.force, asked=bool(body.vms))
        return ok(plan | {"unread": unread})
    asked = bool(body.vms) or None  # `all` names no VM, so it does not undo what others have done to one
    data = SwapRequest(vms, disk=disk, force=body.force, paced=True, asked=asked).to_json()
    # A request for `@previous` that is sent again must not swap back what the first one swapped.
    return await start_single(
        client, SingleRun("swaps", await _period(body), durable_names.SWAP_VMS, data, by_input=True), unread=unread
    )


def _refuse_shared(vms: Sequence[str], disk: str | None) -> None:
    """Problem when several VMs would get one disk: all but the first would be refused, with their tags written."""
    if disk is None or disk == tags.PREVIOUS:
        return
    homes = [found.group_key for vm in vms if (found := resource_id.parse_vm(vm)) is not None]
    shared = len(homes) > 1 if "/" in disk else len(set(homes)) < len(homes)
    if shared:
        detail = f"disk {disk} can be the OS disk of one VM only; name one VM, or {tags.PREVIOUS} for many"
        raise Problem(ProblemKind.BAD_REQUEST, detail, [{"pointer": "#/disk", "detail": detail}])


async def _named(gateways: Gateways, body: Body) -> tuple[str, ...]:
    return tuple(await find_vms(gateways, body.vms)) if body.vms else ()


async def _with_scope(gateways: Gateways, request: MonthInput) -> tuple[MonthInput, list[dict[str, Any]]]:
    """The same input with every VM in scope where it has no VMs, and the subscriptions whose VMs are missing."""
    if request.vms:
        return request, []
    scope = await find_scope(gateways)
    return replace(request, vms=scope.vms), unread_rows(scope.unread)


async def _period(body: Body) -> str:
    """The period of a request, by default the current one. Problem for one more than a month ahead.

    A version of a later period would be above those of all months until then, so that none of them could be built.
    """
    current = names.period_at(datetime.fromisoformat(await wiring.gateways().clock.now()))
    latest = names.month_after(current)
    if body.period is not None and body.period > latest:
        allowed = f'must be a month from "{names.FIRST_PERIOD}" to "{latest}", the next one'
        detail = f"{body.period} is more than one month ahead; {allowed}"
        raise Problem(ProblemKind.BAD_REQUEST, f"period {detail}", [{"pointer": "#/period", "detail": detail}])
    return body.period or current


async def _dry_run(gateways: Gateways, client: DurableFunctionsClient) -> DryRun:
    state = await read_dispatcher_state(client)
    known = await read_all_memory(client, state)
    return DryRun(gateways, wiring.settings(), DispatcherView(state, known))
