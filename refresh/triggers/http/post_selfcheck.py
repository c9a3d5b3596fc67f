"""POST and GET selfcheck: start a check of every part of the platform, and answer the result of the last one.

Decides when one begins without a request (at a sweep, where swaps wait for it) and that another replaces one that is
stuck.
"""

from __future__ import annotations

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import package, wiring
from refresh.domain.selfcheck.rights_in_scope import is_stuck
from refresh.gateways.errors import GatewayError
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.instances import OPEN, list_instances
from refresh.records import durable_names
from refresh.records import selfcheck as selfchecks
from refresh.records.dispatcher_state import DispatcherState
from refresh.settings.settings import SettingsError
from refresh.triggers.http.durable_client import instance_of, iso
from refresh.triggers.http.problem import Problem, ProblemKind, answering, ok
from refresh.triggers.http.requests import read_body, read_query
from refresh.triggers.http.single_runs import SingleRun, start_single
from refresh.views.dispatcher_state import DispatcherView
from refresh.views.runs import Instance
from refresh.views.selfcheck import selfcheck_view

KIND = "selfcheck"


@answering
async def post_selfcheck(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST selfcheck`: changes nothing in Azure; 202 with the run that has the result of each check.

    One that is stuck is terminated first; a problem while another is under way.
    """
    read_body(req, ())
    return await _begin(client, await read_dispatcher_state(client))


async def begin_if_required(client: DurableFunctionsClient) -> None:
    """Begin a self-check when one is required, has not passed for this package, and none is under way."""
    if wiring.settings().selfcheck != "required":
        return
    state = await read_dispatcher_state(client)
    last = state.selfcheck
    if last is not None and last.ok and last.package == package.fingerprint():
        return
    try:
        await _begin(client, state)
    except Problem as problem:
        if problem.kind is not ProblemKind.RUN_EXISTS:
            raise


@answering
async def get_selfcheck(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`GET selfcheck`: the last result, and whether one under way is stuck; reads only the time from Azure."""
    read_query(req, ())
    return ok(
        selfcheck_view(
            DispatcherView(await read_dispatcher_state(client)),
            await _newest(client),
            required=wiring.settings().selfcheck == "required",
            package=package.fingerprint(),
            bundle=package.bundle(),
            now=await _now(),
        )
    )


async def _begin(client: DurableFunctionsClient, state: DispatcherState) -> func.HttpResponse:
    here = {"package": package.fingerprint(), "bundle": package.bundle()}
    first = selfchecks.first_not_reached(state.selfcheck.json if state.selfcheck is not None else None)
    data = {**here, "first": first} if first else here
    stuck = await _end_stuck(client)
    return await start_single(client, SingleRun(KIND, here["package"], durable_names.SELFCHECK, data), over=stuck)


async def _end_stuck(client: DurableFunctionsClient) -> list[str]:
    """Terminate the self-checks of this package that are stuck; their ids."""
    now, stuck = await _now(), []
    for state in await list_instances(client, prefix=_prefix(), statuses=OPEN):
        if is_stuck(iso(state.created_at), now):
            await client.terminate_orchestration(state.instance_id, output="it was stuck; another one was begun")
            stuck.append(str(state.instance_id))
    return stuck


async def _newest(client: DurableFunctionsClient) -> Instance | None:
    """The self-check of this package that began last."""
    found = await list_instances(client, prefix=_prefix())
    if not found:
        return None
    newest = max(found, key=lambda state: state.created_at)
    whole = await client.get_orchestration_state(newest.instance_id)
    return instance_of(whole or newest)


def _prefix() -> str:
    return f"{KIND}-{package.fingerprint()}-"


async def _now() -> str | None:
    """ARM's time; None when ARM does not answer, because a self-check must work then, too."""
    try:
        return await wiring.gateways().clock.now()
    except (GatewayError, SettingsError):
        return None
