"""POST pause and resume: whether the dispatcher starts swaps. A swap under way always goes on to its end.

Decides that a pause works even when Azure does not answer: only the time of the pause is missing then.
"""

from __future__ import annotations

from uuid import uuid4

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.gateways.errors import GatewayError
from refresh.reading.dispatcher_state import DISPATCHER
from refresh.records.durable_names import Operation
from refresh.settings.settings import SettingsError
from refresh.triggers.http.problem import answering, ok
from refresh.triggers.http.requests import read_body

_TAKES = ("why", "dryRun")


@answering
async def post_pause(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST pause`: start no swap until resumed."""
    return await _switch(req, client, Operation.PAUSE, paused=True)


@answering
async def post_resume(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST resume`: start swaps again."""
    return await _switch(req, client, Operation.RESUME, paused=False)


async def _switch(
    req: func.HttpRequest, client: DurableFunctionsClient, operation: Operation, *, paused: bool
) -> func.HttpResponse:
    body = read_body(req, _TAKES)
    if body.dry_run:
        return ok({"paused": paused, "plan": [], "disks_added": 0, "down_s": 0.0})
    # By the id the dispatcher recognises a signal that comes twice: a late pause must not undo a newer resume.
    data = {"id": uuid4().hex, "at": await _now(), "why": body.why}
    await client.signal_entity(DISPATCHER, operation, data)
    return ok({"paused": paused})


async def _now() -> str | None:
    try:
        return await wiring.gateways().clock.now()
    except (GatewayError, SettingsError):
        return None
