"""Reads the state of a durable entity as a client, for the whole app.

Decides that a read which met the state's replacement is made again. Does not know what a state means.
A state that is too large for a row is a blob of its own in Azure Storage, a new one after each batch; a read that found
the old blob's name and comes when the blob is gone fails with UNKNOWN.
https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-azure-storage-provider
"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.entities import EntityInstanceId

_PAUSES_S = (0.1, 0.4, 1.0)


async def read_entity(client: AsyncTaskHubGrpcClient, entity: EntityInstanceId) -> dict[str, Any] | None:
    """The stored state; None before the first operation. Raises grpc.RpcError when it cannot be read."""
    for pause_s in _PAUSES_S:
        try:
            return await _read(client, entity)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNKNOWN:
                raise
        await asyncio.sleep(pause_s)
    return await _read(client, entity)


async def _read(client: AsyncTaskHubGrpcClient, entity: EntityInstanceId) -> dict[str, Any] | None:
    found = await client.get_entity(entity)
    return found.get_typed_state(dict) if found is not None else None
