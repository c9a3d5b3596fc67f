"""Reads all that the app remembers of disks: the dispatcher's state together with every VM of `vm_memory`."""

from __future__ import annotations

from durabletask.client import AsyncTaskHubGrpcClient

from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.vm_memory import read_all_memory
from refresh.records.dispatcher_state import DispatcherState


async def read_remembered(client: AsyncTaskHubGrpcClient) -> DispatcherState:
    """The dispatcher's state as if no VM had been moved out of it. Raises grpc.RpcError when a part is unread."""
    state = await read_dispatcher_state(client)
    return (await read_all_memory(client, state)).put_back(state)
