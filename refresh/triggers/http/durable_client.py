"""How the HTTP API reaches Durable: starts runs, reads instances, reads and signals the dispatcher.

Decides run ids and how an instance of Durable becomes a run. Answers never carry Durable's own URLs: they hold the
host's system key.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient
from durabletask.client import OrchestrationState, OrchestrationStatus

from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.instances import OPEN, list_instances
from refresh.records import durable_names
from refresh.records.month import child_id
from refresh.triggers.http.problem import Problem, ProblemKind
from refresh.views.dispatcher_state import Book
from refresh.views.runs import Instance

RUNS_PATH = "/api/runs"
BUILD_PREFIX = "build-"
_ENDED = {
    OrchestrationStatus.COMPLETED: "completed",
    OrchestrationStatus.FAILED: "failed",
    OrchestrationStatus.TERMINATED: "terminated",
}


async def read_book(client: DurableFunctionsClient) -> Book:
    """The dispatcher's book as it stands; empty before its first operation."""
    return Book(await read_dispatcher_state(client))


async def start_run(
    client: DurableFunctionsClient, kind: str, period: str, orchestration: str, data: Mapping[str, Any]
) -> func.HttpResponse:
    """Start `orchestration` under a new id of this kind; the 202 that says where to read how it goes."""
    run = child_id(kind, period, uuid4().hex)
    await client.schedule_new_orchestration(orchestration, input=dict(data), instance_id=run)
    href = f"{RUNS_PATH}/{run}"
    body = json.dumps({"id": run, "status": "running", "href": href})
    return func.HttpResponse(body, status_code=202, mimetype="application/json", headers={"Location": href})


async def refuse_second(client: DurableFunctionsClient, kind: str, period: str) -> None:
    """Problem when a run of this kind and period is under way: two would build the same twice over."""
    found = await list_instances(client, prefix=f"{kind}-{period}-", statuses=OPEN)
    if found:
        run = found[0].instance_id
        raise Problem(ProblemKind.RUN_EXISTS, f"{run} is under way for {period}: see {RUNS_PATH}/{run}")


async def builds_under_way(client: DurableFunctionsClient) -> list[Instance]:
    """The builds of image versions that are running now, each with how far it is."""
    found = await list_instances(client, prefix=BUILD_PREFIX, statuses=OPEN)
    whole = await asyncio.gather(*(client.get_orchestration_state(state.instance_id) for state in found))
    return [instance_of(state) for state in whole if state is not None]


def swaps_of(book: Book) -> dict[str, Instance]:
    """The swaps that the book knows, under way or ended, by id: what is told of one that Durable cannot tell of."""
    ended = (
        Instance(
            id=str(row["run"]),
            state="completed",
            started=str(row.get("started") or row.get("ended") or ""),
            ended=row.get("ended"),
            input={"vm": row["vm"]},
            output=dict(row),
        )
        for row in book.state.get("finished", ())
        if row.get("run")
    )
    under_way = (
        Instance(
            id=durable_names.swap_id(vm, row["n"]),
            state="running",
            started=str(row.get("since") or ""),
            ended=None,
            input={"vm": row["id"], "n": row["n"]},
            output={},
        )
        for vm, row in book.running.items()
    )
    return {instance.id: instance for instance in (*ended, *under_way)}


def instance_of(state: OrchestrationState) -> Instance:
    """What the views need of an instance."""
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
    """Durable's times are UTC without saying so."""
    return moment.replace(tzinfo=UTC).isoformat()


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
