"""POST and GET selfcheck: runs every part of the platform once, and says how that ended last.

Decides when one is begun without being asked for (at a sweep, where swaps wait for it) and that one that is stuck gives
way to another.
"""

from __future__ import annotations

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import package, wiring
from refresh.domain.selfcheck.rights_in_scope import is_stuck
from refresh.gateways.errors import GatewayError
from refresh.reading.instances import OPEN, list_instances
from refresh.records import durable_names
from refresh.records import selfcheck as selfchecks
from refresh.settings.settings import SettingsError
from refresh.triggers.http.durable_client import RUNS_PATH, instance_of, iso, read_book, start_run
from refresh.triggers.http.problem import Problem, ProblemKind, answering, ok
from refresh.triggers.http.requests import read_body, read_query
from refresh.views.dispatcher_state import Book
from refresh.views.runs import Instance
from refresh.views.selfcheck import selfcheck_view

KIND = "selfcheck"


@answering
async def post_selfcheck(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST selfcheck`: changes nothing in Azure; 202 with the run that says how each check ended.

    One that is stuck is ended; a problem while one is under way.
    """
    read_body(req, ())
    under_way = await _end_stuck(client)
    if under_way is not None:
        raise Problem(ProblemKind.RUN_EXISTS, f"{under_way} is under way for this package: see {RUNS_PATH}/{under_way}")
    return await _begin(client, await read_book(client))


async def begin_if_waited_for(client: DurableFunctionsClient) -> None:
    """Begin a self-check when one is required, has not passed for this package, and none is under way."""
    if wiring.settings().selfcheck != "required":
        return
    book = await read_book(client)
    last = book.selfcheck
    if last and last.get("ok") and last.get("package") == package.fingerprint():
        return
    if await _end_stuck(client) is None:
        await _begin(client, book)


@answering
async def get_selfcheck(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`GET selfcheck`: the last result, and whether one under way is stuck; asks Azure for nothing but the time."""
    read_query(req, ())
    return ok(
        selfcheck_view(
            await read_book(client),
            await _newest(client),
            required=wiring.settings().selfcheck == "required",
            package=package.fingerprint(),
            bundle=package.bundle(),
            now=await _now(),
        )
    )


async def _begin(client: DurableFunctionsClient, book: Book) -> func.HttpResponse:
    here = {"package": package.fingerprint(), "bundle": package.bundle()}
    first = selfchecks.first_not_reached(book.selfcheck)
    data = {**here, "first": first} if first else here
    return await start_run(client, KIND, here["package"], durable_names.SELFCHECK, data)


async def _end_stuck(client: DurableFunctionsClient) -> str | None:
    """The self-check of this package that is under way, if there is one; those that are stuck are ended."""
    now = await _now()
    for state in await list_instances(client, prefix=_prefix(), statuses=OPEN):
        if not is_stuck(iso(state.created_at), now):
            return str(state.instance_id)
        await client.terminate_orchestration(state.instance_id, output="it was stuck; another one was begun")
    return None


async def _newest(client: DurableFunctionsClient) -> Instance | None:
    """The self-check of this package that was begun last."""
    found = await list_instances(client, prefix=_prefix())
    if not found:
        return None
    newest = max(found, key=lambda state: state.created_at)
    whole = await client.get_orchestration_state(newest.instance_id)
    return instance_of(whole or newest)


def _prefix() -> str:
    return f"{KIND}-{package.fingerprint()}-"


async def _now() -> str | None:
    """ARM's time; None when it does not answer, because a self-check is wanted then all the same."""
    try:
        return await wiring.gateways().clock.now()
    except (GatewayError, SettingsError):
        return None
