"""POST pause and resume: whether the dispatcher starts swaps. A swap under way always goes on to its end.

Decides that a pause works even when Azure does not answer: only the time of the pause is missing then.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.gateways.errors import GatewayError
from refresh.reading.dispatcher_state import DISPATCHER, read_dispatcher_state
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.durable_names import Operation
from refresh.records.pause_rows import Pause
from refresh.settings.settings import SettingsError
from refresh.triggers.http.caller import caller_of
from refresh.triggers.http.problem import answering, ok
from refresh.triggers.http.requests import read_body
from refresh.views.queue import pause_view

_TAKES = ("why", "dryRun")
# The dispatcher takes a signal within a second.
_ANSWER_READS, _READ_AGAIN_S = 10, 0.5


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
    before = await read_dispatcher_state(client)
    if body.dry_run:
        return ok({**pause_view(before), "paused": paused, "plan": [], "disks_added": 0, "down_s": 0.0})
    # By the id the dispatcher recognises a signal that comes twice: a late pause must not undo a newer resume.
    data: dict[str, Any] = {"id": uuid4().hex, "at": await _now(), "why": body.why, "by": caller_of(req)}
    await client.signal_entity(DISPATCHER, operation, data)
    after = await _switched(client, data["id"]) or _as_asked(before, data, paused=paused)
    kept = after.paused is not None and before.paused is not None and before.paused.since == after.paused.since
    was_paused = before.paused is not None and (not paused or kept)
    return ok({**pause_view(after), "was_paused": was_paused})


def _as_asked(before: DispatcherState, data: dict[str, Any], *, paused: bool) -> DispatcherState:
    """The state as it will be when the dispatcher, which has not answered yet, takes the signal."""
    state = DispatcherState(before.json)
    first = state.paused or Pause(since=data["at"], why=data["why"], by=data["by"])
    state.paused = first if paused else None
    return state


async def _switched(client: DurableFunctionsClient, key: str) -> DispatcherState | None:
    """The dispatcher's state once it has the signal with this id; None when it does not have it in time."""
    for _ in range(_ANSWER_READS):
        state = await read_dispatcher_state(client)
        if state.switch is not None and key in state.switch.ids:
            return state
        await asyncio.sleep(_READ_AGAIN_S)
    return None


async def _now() -> str | None:
    try:
        return await wiring.gateways().clock.now()
    except (GatewayError, SettingsError):
        return None
