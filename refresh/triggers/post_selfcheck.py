"""POST and GET selfcheck: runs every part of the platform once, and says how that ended last.

Decides when one is begun without being asked for: at a sweep, where swaps wait for it.
"""

from __future__ import annotations

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import package, wiring
from refresh import selfcheck_messages as selfchecks
from refresh.triggers.durable import read_book, refuse_second, start_run
from refresh.triggers.problem import Problem, answering, ok
from refresh.triggers.requests import read_body, read_query
from refresh.views.selfcheck import selfcheck_view

KIND = "selfcheck"


@answering
async def post_selfcheck(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST selfcheck`: changes nothing in Azure; 202 with the run that says how each check ended."""
    read_body(req, ())
    running = package.fingerprint()
    await refuse_second(client, KIND, running)
    return await start_run(client, KIND, running, selfchecks.SELFCHECK, {})


async def begin_if_waited_for(client: DurableFunctionsClient) -> None:
    """Begin a self-check when one is required, has not passed for this package, and none is under way."""
    if wiring.settings().selfcheck != "required":
        return
    running = package.fingerprint()
    last = (await read_book(client)).selfcheck
    if last and last.get("ok") and last.get("package") == running:
        return
    try:
        await refuse_second(client, KIND, running)
    except Problem:
        return
    await start_run(client, KIND, running, selfchecks.SELFCHECK, {})


@answering
async def get_selfcheck(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`GET selfcheck`: the last result; asks Azure for nothing."""
    read_query(req, ())
    required = wiring.settings().selfcheck == "required"
    book = await read_book(client)
    return ok(selfcheck_view(book, required=required, package=package.fingerprint(), bundle=package.bundle()))
