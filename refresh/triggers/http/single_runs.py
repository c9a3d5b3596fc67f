"""Starts a run of which only one may be under way: one month for a period, one run for the same VMs and disk.

Decides the id of the next run, so that two requests that come at once, also at two instances of the app, choose the
same id and one run begins. Does not know what the run does.

The id follows from the ids that were used before. The start refuses an id that is in use, by a run that ended as well,
so that no record is replaced. When several clients create an instance at the same moment, the Azure Storage provider
keeps one and tells all of them that theirs was created; the mark in the input shows whose it is.
https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Tracking/AzureTableTrackingStore.cs
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import azure.functions as func
import grpc
from azure.durable_functions import DurableFunctionsClient
from durabletask.internal.orchestrator_service_pb2 import OrchestrationIdReusePolicy

from refresh.domain.terms.resource_id import id_hash
from refresh.reading.instances import OPEN, list_instances
from refresh.records.month import child_id
from refresh.triggers.http.durable_client import RUNS_PATH, accepted
from refresh.triggers.http.problem import Problem, ProblemKind

# In the input of a run: which request started it. Orchestrations ignore it.
MARK = "request"
_REFUSE_ANY_IN_USE = OrchestrationIdReusePolicy()
# An attempt fails only when another run began and ended since the runs were listed.
_ATTEMPTS = 5


@dataclass(frozen=True)
class SingleRun:
    """A run to start: its orchestration and input, and the kind and period in its id.

    With `by_input` only runs with the same input count as the same run: others run side by side.
    """

    kind: str
    period: str
    orchestration: str
    data: Mapping[str, Any]
    by_input: bool = False

    @property
    def group(self) -> str:
        """The part of the id that runs have in common of which only one can be under way."""
        return f"{self.period}-{_hash_of(self.data)}" if self.by_input else self.period


async def start_single(
    client: DurableFunctionsClient,
    wanted: SingleRun,
    *,
    over: Collection[str] = (),
    unread: Sequence[Mapping[str, Any]] = (),
) -> func.HttpResponse:
    """Start the orchestration of `wanted` under a new id; the 202 with the address of its record.

    Raises Problem with the id of the run that is under way, if there is one; those in `over` are about to end. The
    answer names the `unread` subscriptions, whose VMs are missing from the input. Raises grpc.RpcError.
    """
    for _ in range(_ATTEMPTS):
        known = await list_instances(client, prefix=f"{wanted.kind}-{wanted.group}-")
        for state in known:
            if state.runtime_status in OPEN and state.instance_id not in over:
                raise _under_way(state.instance_id, wanted.period)
        run = next_id(wanted.kind, wanted.group, [state.instance_id for state in known])
        if await _has_started(client, run, wanted):
            return accepted(run, unread)
    raise Problem(ProblemKind.RUN_EXISTS, f"other runs for {wanted.period} began and ended meanwhile; try again")


def _hash_of(data: Mapping[str, Any]) -> str:
    """Eight hex digits that are the same for the same VMs in any order, and for the same other values."""
    vms = sorted(str(vm).lower() for vm in data.get("vms", ()))
    return id_hash(json.dumps({**data, "vms": vms}, sort_keys=True))[:8]


def next_id(kind: str, period: str, known: Collection[str]) -> str:
    """The id of the run after those in `known`: the same for every request that knows the same runs, and new."""
    before = " ".join(sorted(known))
    number = 0
    while (run := child_id(kind, period, id_hash(f"{before} {number}"))) in known:
        number += 1
    return run


async def _has_started(client: DurableFunctionsClient, run: str, wanted: SingleRun) -> bool:
    """Whether this request started the run; False when the id belongs to one that has ended."""
    mark = uuid4().hex
    try:
        await client.schedule_new_orchestration(
            wanted.orchestration, input={**wanted.data, MARK: mark}, instance_id=run, reuse_id_policy=_REFUSE_ANY_IN_USE
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
            raise
        state = await client.get_orchestration_state(run, fetch_payloads=False)
        if state is not None and state.runtime_status not in OPEN:
            return False
        raise _under_way(run, wanted.period) from None
    state = await client.get_orchestration_state(run)
    stored = state.get_input() if state is not None else None
    if not isinstance(stored, dict) or stored.get(MARK) != mark:
        raise _under_way(run, wanted.period)
    return True


def _under_way(run: str, period: str) -> Problem:
    return Problem(ProblemKind.RUN_EXISTS, f"{run} is under way for {period}: see {RUNS_PATH}/{run}")
