"""Reads the entities `vm_memory`: what is known about VMs that the dispatcher's state no longer has.

The dispatcher's state must be read before: a VM leaves it only when the entity has what was known about it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.entities import EntityInstanceId

from refresh.domain.terms import resource_id
from refresh.reading.entities import read_entity
from refresh.records import durable_names
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.fulfilled import read_keys
from refresh.records.vm_memory import KnownVms, MemoryRow, VmMemory

_READS_AT_ONCE = 16


async def read_vm_memory(client: AsyncTaskHubGrpcClient, vms: Iterable[str]) -> KnownVms:
    """What is known about `vms` (ids), and about others of their keys. Raises grpc.RpcError."""
    return await _read_keys(client, {durable_names.vm_key(resource_id.id_hash(vm)) for vm in vms})


async def read_all_memory(client: AsyncTaskHubGrpcClient, state: DispatcherState) -> KnownVms:
    """What is known about every VM that is not in `state`, which was read before. Raises grpc.RpcError."""
    return await _read_keys(client, durable_names.VM_KEYS if state.moved else read_keys(state.filled))


async def _read_keys(client: AsyncTaskHubGrpcClient, keys: Iterable[str]) -> KnownVms:
    at_once = asyncio.Semaphore(_READS_AT_ONCE)

    async def read(key: str) -> dict[str, MemoryRow]:
        async with at_once:
            stored = await read_entity(client, EntityInstanceId(durable_names.VM_MEMORY, key))
        return dict(VmMemory(stored).vms)

    parts = await asyncio.gather(*(read(key) for key in sorted(keys)))
    return KnownVms({vm_hash: row for part in parts for vm_hash, row in part.items()})
