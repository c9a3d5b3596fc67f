"""Reads the entities `past_outcomes`: the whole outcomes of the last swaps that ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.entities import EntityInstanceId

from refresh.domain.terms import resource_id
from refresh.reading.entities import read_entity
from refresh.records import durable_names
from refresh.records.dispatcher_state import OutcomeRow
from refresh.records.past_outcomes import PastOutcomes

_READS_AT_ONCE = 16


async def read_past_outcome(client: AsyncTaskHubGrpcClient, run: str) -> OutcomeRow | None:
    """The outcome of the swap with this instance id, if it is among those that are kept. Raises grpc.RpcError."""
    vm_hash = durable_names.vm_hash_of(run)
    if vm_hash is None:
        return None
    return next((row for row in await _read(client, durable_names.vm_key(vm_hash)) if row.run == run), None)


async def read_past_outcomes(client: AsyncTaskHubGrpcClient, vms: Iterable[str]) -> list[OutcomeRow]:
    """The last outcomes of `vms` (ids) that are kept, those of a VM oldest first. Raises grpc.RpcError."""
    wanted, at_once = {vm.lower() for vm in vms}, asyncio.Semaphore(_READS_AT_ONCE)

    async def read(key: str) -> Iterable[OutcomeRow]:
        async with at_once:
            return await _read(client, key)

    keys = {durable_names.vm_key(resource_id.id_hash(vm)) for vm in wanted}
    parts = await asyncio.gather(*(read(key) for key in sorted(keys)))
    return [row for part in parts for row in part if row.vm.lower() in wanted]


async def _read(client: AsyncTaskHubGrpcClient, key: str) -> tuple[OutcomeRow, ...]:
    return PastOutcomes(await read_entity(client, EntityInstanceId(durable_names.PAST_OUTCOMES, key))).outcomes
