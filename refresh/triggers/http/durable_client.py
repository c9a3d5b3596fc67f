"""Reads instances of Durable for the HTTP API, and answers that a run was started.

Decides how an instance of Durable becomes a run. Answers never contain Durable's own URLs: they have the host's system
key in them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient
from durabletask.client import OrchestrationState, OrchestrationStatus

from refresh.reading.instances import OPEN, list_instances
from refresh.records import durable_names
from refresh.records.dispatcher_state import DispatcherState
from refresh.views.runs import Instance

RUNS_PATH = "/api/runs"
BUILD_PREFIX = "build-"
_ENDED = {
    OrchestrationStatus.COMPLETED: "completed",
    OrchestrationStatus.FAILED: "failed",
    OrchestrationStatus.TERMINATED: "terminated",
}


def accepted(run: str, unread: Sequence[Mapping[str, Any]] = ()) -> func.HttpResponse:
    """The 202 with the address of the record of `run`.

    And with the subscriptions that are `unread`, if there are any: the run has none of their VMs.
    """
    href = f"{RUNS_PATH}/{run}"
    body = json.dumps({"id": run, "status": "running", "href": href} | ({"unread": list(unread)} if unread else {}))
    return func.HttpResponse(body, status_code=202, mimetype="application/json", headers={"Location": href})


async def builds_under_way(client: DurableFunctionsClient) -> list[Instance]:
    """The builds of image versions that are running now, each with its progress."""
    found = await list_instances(client, prefix=BUILD_PREFIX, statuses=OPEN)
    whole = await asyncio.gather(*(client.get_orchestration_state(state.instance_id) for state in found))
    return [instance_of(state) for state in whole if state is not None]


def swaps_of(state: DispatcherState) -> dict[str, Instance]:
    """The swaps in the dispatcher's state, under way or ended, by id: shown where Durable cannot read the instance."""
    ended = (
        Instance(
            id=row.run,
            state="completed",
            started=row.started or row.ended or "",
            ended=row.ended,
            input={"vm": row.vm},
            output=dict(row.json),
        )
        for row in state.finished
    )
    under_way = (
        Instance(
            id=durable_names.swap_id(vm, row.n),
            state="running",
            started=row.since or "",
            ended=None,
            input={"vm": row.id, "n": row.n},
            output={},
        )
        for vm, row in state.running.items()
    )
    return {instance.id: instance for instance in (*ended, *under_way)}


def instance_of(state: OrchestrationState) -> Instance:
    """An instance as the views read it."""
    ended = _ENDED.get(state.runtime_status)
    return Instance(
        id=state.instance_id,
        state=ended or "running",
        started=iso(state.created_at),
        ended=iso(state.last_updated_at) if ended else None,
        progress=_object(state.get_custom_status()),
        input=_object(state.get_input()),
        output=_object(state.get_output()) if ended == "completed" else {},
    )


def iso(moment: datetime) -> str:
    """One of Durable's times, which are UTC without a zone, as ISO text with one."""
    return moment.replace(tzinfo=UTC).isoformat()


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
