"""Reads the dispatcher's state as a durable client, for the whole app. Does not know what the state means."""

from __future__ import annotations

from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.entities import EntityInstanceId

from refresh.reading.entities import read_entity
from refresh.records import durable_names
from refresh.records.dispatcher_state import DispatcherState

DISPATCHER = EntityInstanceId(durable_names.DISPATCHER, durable_names.DISPATCHER_KEY)
INBOX = EntityInstanceId(durable_names.INBOX, durable_names.INBOX_KEY)


async def read_dispatcher_state(client: AsyncTaskHubGrpcClient) -> DispatcherState:
    """The current state; empty before the first operation. Raises grpc.RpcError when it cannot be read."""
    return DispatcherState(await read_entity(client, DISPATCHER))
