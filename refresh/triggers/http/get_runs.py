"""GET runs and runs/{id}: what each run was started with, its status, and the result of every VM.

Decides which instances are runs, how a list of them is cut into pages, and where the outcome of a swap is found: it is
the output of the swap's instance. Of an instance that a late second start has replaced, or that Durable cannot read, it
is in the entity `past_outcomes`, or in short in the dispatcher's state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

import azure.functions as func
import grpc
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.domain.terms import times as instant
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.instances import is_torn, list_instances
from refresh.reading.past_outcomes import read_past_outcome
from refresh.triggers.http.durable_client import builds_under_way, instance_of, iso, swaps_of
from refresh.triggers.http.problem import Problem, ProblemKind, answering, ok, path_of
from refresh.triggers.http.requests import read_query
from refresh.views.dispatcher_state import DispatcherView
from refresh.views.paging import Key, next_link, read_token
from refresh.views.runs import (
    INNER_KINDS,
    KINDS,
    Instance,
    has_outcome,
    kind_of_run,
    outcome_record,
    run_record,
    shows_builds,
)

DEFAULT_SPAN = timedelta(days=7)
DEFAULT_TOP, MAX_TOP = 50, 100
# A page ends early when it lists so many VMs: a month's run alone may list 2,500.
MAX_ROWS = 1000
_SWAP = "swap"


@dataclass(frozen=True)
class _Wanted:
    """The query: which runs to list."""

    start: datetime
    end: datetime | None
    kind: str | None
    top: int
    after: Key | None


@answering
async def get_runs(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`GET runs`: run records, newest first; `from`, `to` (ISO times), `kind`, `top`; without, seven days."""
    query = read_query(req, ("from", "to", "kind", "top", "after"))
    wanted = await _read_wanted(query)
    dispatcher = DispatcherView(await read_dispatcher_state(client))
    runs = await _list_runs(client, wanted)
    runs += await _list_torn(client, wanted, dispatcher, {str(run) for _, run in runs})
    if wanted.after is not None:
        runs = [key for key in runs if key < wanted.after]
    records, last = await _read_page(client, sorted(runs, reverse=True), wanted.top, dispatcher)
    link = next_link(path_of(req), _fixed(query, wanted), last)
    return ok({"value": records, "nextLink": link})


@answering
async def get_run(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`GET runs/{id}`: one run record."""
    read_query(req, ())
    run = str(req.route_params.get("id", ""))
    if kind_of_run(run) is None:
        detail = f"{run[:120]!r} is not the id of a run; one begins with {', '.join(f'{kind}-' for kind in KINDS)}"
        raise Problem(ProblemKind.BAD_REQUEST, detail)
    dispatcher = DispatcherView(await read_dispatcher_state(client))
    instance = await _read_instance(client, run, dispatcher)
    outcome = await _read_outcome(client, run, instance, dispatcher)
    if outcome is not None:
        return ok(outcome_record(run, outcome))
    if instance is None:
        days = wiring.settings().history_days
        raise Problem(ProblemKind.UNKNOWN_RUN, f"there is no run {run}; runs are deleted after {days} days")
    builds = await builds_under_way(client) if shows_builds(instance) else ()
    return ok(run_record(instance, dispatcher, builds))


async def _read_page(
    client: DurableFunctionsClient, runs: list[Key], top: int, dispatcher: DispatcherView
) -> tuple[list[dict[str, Any]], Key | None]:
    """The records of the page's runs, and the key of the last one when there are more."""
    records: list[dict[str, Any]] = []
    last: Key | None = None
    rows = 0
    for key in islice(runs, top):
        if records and rows >= MAX_ROWS:
            break
        last = key
        record = await read_record(client, str(key[1]), dispatcher)
        if record is not None:  # None: purged since it was listed
            records.append(record)
            rows += len(record["vms"]) + len(record.get("resources", ()))
    return records, last if last is not None and last != runs[-1] else None


async def read_record(client: DurableFunctionsClient, run: str, dispatcher: DispatcherView) -> dict[str, Any] | None:
    """The record of a run, without builds under way; None when there is no such run."""
    # The list has no payloads: a week of months with 2,500 VMs each does not fit into one answer of Durable.
    instance = await _read_instance(client, run, dispatcher)
    outcome = await _read_outcome(client, run, instance, dispatcher)
    if outcome is not None:
        return outcome_record(run, outcome)
    return None if instance is None else run_record(instance, dispatcher)


async def _read_instance(client: DurableFunctionsClient, run: str, dispatcher: DispatcherView) -> Instance | None:
    """The instance of a run, from the dispatcher's state where Durable cannot read it; None when neither has it."""
    try:
        state = await client.get_orchestration_state(run)
    except grpc.aio.AioRpcError as error:
        if kind_of_run(run) != _SWAP or error.code() is not grpc.StatusCode.UNKNOWN or not await is_torn(client, run):
            raise
        return swaps_of(dispatcher.state).get(run)
    return None if state is None else instance_of(state)


async def _read_outcome(
    client: DurableFunctionsClient, run: str, instance: Instance | None, dispatcher: DispatcherView
) -> Mapping[str, Any] | None:
    """How a swap ended; None for one that has not, and for a run of another kind."""
    if kind_of_run(run) != _SWAP or dispatcher.is_under_way(run):
        return None
    if instance is not None and has_outcome(instance):
        return instance.output
    found = await read_past_outcome(client, run) or dispatcher.outcome_of(run)
    return found.json if found is not None else None


async def _list_runs(client: DurableFunctionsClient, wanted: _Wanted) -> list[Key]:
    # One query for each kind: storage finds a prefix without reading every look and build of those days.
    kinds = [wanted.kind] if wanted.kind else [kind for kind in KINDS if kind not in INNER_KINDS]
    found = await asyncio.gather(
        *(list_instances(client, prefix=f"{kind}-", created_from=wanted.start, created_to=wanted.end) for kind in kinds)
    )
    return [
        (iso(state.created_at), state.instance_id)
        for state in chain.from_iterable(found)
        if kind_of_run(state.instance_id) in kinds
    ]


async def _list_torn(
    client: DurableFunctionsClient, wanted: _Wanted, dispatcher: DispatcherView, listed: set[str]
) -> list[Key]:
    """The swaps in the dispatcher's state that no list by time can find."""
    if wanted.kind not in (None, _SWAP):
        return []
    found: list[Key] = []
    for run, swap in swaps_of(dispatcher.state).items():
        started = instant.parse(swap.started)
        is_then = started is not None and wanted.start <= started <= (wanted.end or started)
        if is_then and run not in listed and await is_torn(client, run):
            found.append((swap.started, run))
    return found


def _fixed(query: dict[str, str], wanted: _Wanted) -> dict[str, str]:
    """The query of the next page: with the start time of this one, or every page would cover other days."""
    kept = {name: value for name, value in query.items() if name in ("to", "kind", "top")}
    return {"from": wanted.start.isoformat(), **kept}


async def _read_wanted(query: dict[str, str]) -> _Wanted:
    faults: list[str] = []
    times = {name: instant.parse_plausible(query.get(name)) for name in ("from", "to")}
    faults += [
        f'{name} must be a time in the years 2000 to 2999, such as "2026-11-01T00:00:00Z"'
        for name, time in times.items()
        if name in query and time is None
    ]
    kind = query.get("kind")
    if kind is not None and kind not in KINDS:
        faults.append(f"kind must be one of {', '.join(KINDS)}")
    text = query.get("top", str(DEFAULT_TOP))
    top = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    if not 1 <= top <= MAX_TOP:
        faults.append(f"top must be a whole number from 1 to {MAX_TOP}")
    after = read_token(query["after"], (str, str)) if "after" in query else None
    if "after" in query and after is None:
        faults.append("after is not a token of this list; follow nextLink as it is")
    if faults:
        raise Problem(ProblemKind.BAD_REQUEST, "; ".join(faults), [{"detail": fault} for fault in faults])
    start = times["from"]
    if start is None:
        start = (times["to"] or datetime.fromisoformat(await wiring.gateways().clock.now())) - DEFAULT_SPAN
    return _Wanted(start, times["to"], kind, top, after)
