"""POST runs/{id}/cancel: what a run has not begun does not begin; what is under way ends as usual.

Decides which runs can be cancelled. The run itself notices the event, takes back what it wrote for swaps that have not
begun, and ends as `cancelled`.
"""

from __future__ import annotations

import json

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.reading.instances import OPEN
from refresh.records.month import CANCEL_EVENT
from refresh.triggers.http.caller import caller_of
from refresh.triggers.http.durable_client import RUNS_PATH, instance_of
from refresh.triggers.http.problem import Problem, ProblemKind, answering, ok
from refresh.triggers.http.requests import read_body
from refresh.views.runs import CANCELLED, RUNNING, kind_of_run

_KINDS = ("month", "swaps", "disks", "tags")


@answering
async def post_cancel(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST runs/{id}/cancel`: 202, also when the run is cancelled already; with `dryRun` 200 if it can be."""
    body = read_body(req, ("why", "dryRun"))
    run = str(req.route_params.get("id", ""))
    if kind_of_run(run) not in _KINDS:
        detail = f"{run[:120]!r} cannot be cancelled; months, disks, tags and swaps of many VMs can"
        raise Problem(ProblemKind.BAD_REQUEST, detail)
    state = await client.get_orchestration_state(run)
    if state is None:
        days = wiring.settings().history_days
        raise Problem(ProblemKind.UNKNOWN_RUN, f"there is no run {run}; runs are deleted after {days} days")
    if state.runtime_status in OPEN and not body.dry_run:
        data = {"by": caller_of(req), "why": body.why}
        await client.raise_orchestration_event(run, CANCEL_EVENT, data=data)
    elif state.runtime_status not in OPEN and instance_of(state).output.get("status") != CANCELLED:
        raise Problem(
            ProblemKind.RUN_ENDED, f"{run} has ended: see {RUNS_PATH}/{run}; POST /api/rollback takes it back"
        )
    href = f"{RUNS_PATH}/{run}"
    if body.dry_run:
        return ok({"id": run, "status": RUNNING if state.runtime_status in OPEN else CANCELLED, "href": href})
    answer = json.dumps({"id": run, "status": CANCELLED, "href": href})
    return func.HttpResponse(answer, status_code=202, mimetype="application/json", headers={"Location": href})
