"""POST rollback: swaps VMs back to the disk that they ran before their last swap, once.

Decides what of an earlier run is taken back: the disks it put in. Does not know where each VM's way back leads; that is
read when the tags are written, so that a request that comes twice finds the VMs back already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.domain.swap.way_back import Given
from refresh.domain.terms import names
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.fleet.scope import unread_rows
from refresh.reading.vm_memory import read_all_memory
from refresh.records import durable_names
from refresh.records.swap import OutcomeStatus
from refresh.records.swap_request import SwapRequest
from refresh.triggers.http.dry_run import DryRun
from refresh.triggers.http.get_runs import read_record
from refresh.triggers.http.problem import Problem, ProblemKind, answering, ok
from refresh.triggers.http.requests import Body, read_body
from refresh.triggers.http.single_runs import SingleRun, start_single
from refresh.triggers.http.vm_names import find_scope, find_vms
from refresh.views.dispatcher_state import DispatcherView
from refresh.views.runs import RUNNING, kind_of_run

_TAKES = ("vms", "all", "run", "force", "dryRun")
_KINDS = ("month", "swaps", "swap")
_GIVEN = (OutcomeStatus.SUCCEEDED, OutcomeStatus.NOT_PROVEN, OutcomeStatus.NEEDS_ATTENTION)


@answering
async def post_rollback(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST rollback`: swap these VMs, or those of a run, to the disk they ran before."""
    body = read_body(req, _TAKES, must_name_vms=True)
    state = await read_dispatcher_state(client)
    request, unread = await _request(body, client, DispatcherView(state))
    if body.dry_run:
        planner = DryRun(
            wiring.gateways(), wiring.settings(), DispatcherView(state, await read_all_memory(client, state))
        )
        given = {vm: Given(*disks) for vm, disks in (request.given or {}).items()}
        plan = await planner.rollback(request.vms, given, request.done, force=body.force)
        return ok(plan | {"unread": unread})
    period = names.period_at(datetime.fromisoformat(await wiring.gateways().clock.now()))
    run = SingleRun("swaps", period, durable_names.SWAP_VMS, request.to_json(), by_input=True)
    return await start_single(client, run, unread=unread)


async def _request(
    body: Body, client: DurableFunctionsClient, dispatcher: DispatcherView
) -> tuple[SwapRequest, list[dict[str, Any]]]:
    """The run to start, and the subscriptions whose VMs are missing."""
    base = SwapRequest((), force=body.force, paced=True, back=True)
    if body.run:
        return _of_run(base, body.run, await _rows_of(body.run, client, dispatcher)), []
    if body.vms:
        return replace(base, vms=tuple(await find_vms(wiring.gateways(), body.vms))), []
    scope = await find_scope(wiring.gateways())
    return replace(base, vms=scope.vms), unread_rows(scope.unread)


async def _rows_of(run: str, client: DurableFunctionsClient, dispatcher: DispatcherView) -> list[Mapping[str, Any]]:
    """The rows of VMs of a run that has ended. Problem for any other."""
    kind = kind_of_run(run)
    if kind not in _KINDS:
        detail = f"{run[:120]!r} is not the id of a run that swaps VMs; one begins with month-, swaps- or swap-"
        raise Problem(ProblemKind.BAD_REQUEST, detail, [{"pointer": "#/run", "detail": detail}])
    record = await read_record(client, run, dispatcher)
    if record is None:
        days = wiring.settings().history_days
        raise Problem(ProblemKind.UNKNOWN_RUN, f"there is no run {run}; runs are deleted after {days} days")
    if record["status"] == RUNNING:
        raise Problem(ProblemKind.RUN_UNDER_WAY, f"{run} has not ended: roll it back when it has")
    rows: list[Mapping[str, Any]] = record["vms"]
    return rows


def _of_run(request: SwapRequest, run: str, rows: list[Mapping[str, Any]]) -> SwapRequest:
    """Take back what `run` gave the VMs in its rows; every other VM has a row with the reason."""
    given, others = {}, []
    for row in rows:
        if row.get("status") in _GIVEN and row.get("old_disk") and row.get("new_disk"):
            given[str(row["vm"])] = [str(row["old_disk"]), str(row["new_disk"])]
        else:
            others.append(_not_given(run, row))
    return replace(
        request,
        vms=tuple(given),
        done=tuple(others),
        of_run=run,
        given={vm.lower(): disks for vm, disks in given.items()},
    )


def _not_given(run: str, row: Mapping[str, Any]) -> dict[str, Any]:
    why = f"{row.get('status') or row.get('decision')}: {row.get('reason')}"
    return {
        "vm": row["vm"],
        "decision": str(DecisionKind.SKIP),
        "status": str(OutcomeStatus.SKIPPED),
        "reason": str(Reason.NOT_GIVEN),
        "message": f"{run} gave it no other disk ({why})"[:200],
    }
