"""Reads the dispatcher's state as a durable client, for the whole app.

Decides that a read which met the state's replacement is made again. Does not know what the state means.
A state that is too large for a row is a blob of its own in Azure Storage, a new one after each batch; a read that found
the old blob's name and comes when the blob is gone fails with UNKNOWN.
https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-azure-storage-provider
"""

from __future__ import annotations

import asyncio

import grpc
from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.entities import EntityInstanceId

from refresh.records import durable_names
from refresh.records.dispatcher_state import DispatcherState

DISPATCHER = EntityInstanceId(durable_names.DISPATCHER, durable_names.DISPATCHER_KEY)
INBOX = EntityInstanceId(durable_names.INBOX, durable_names.INBOX_KEY)
_PAUSES_S = (0.1, 0.4, 1.0)


async def read_dispatcher_state(client: AsyncTaskHubGrpcClient) -> DispatcherState:
    """The current state; empty before the first operation. Raises grpc.RpcError when it cannot be read."""
    for pause_s in _PAUSES_S:
        try:
            return await _read(client)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNKNOWN:
                raise
        await asyncio.sleep(pause_s)
    return await _read(client)


async def _read(client: AsyncTaskHubGrpcClient) -> DispatcherState:
    entity = await client.get_entity(DISPATCHER)
    return DispatcherState(entity.get_typed_state(dict) if entity is not None else None)
