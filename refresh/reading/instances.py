"""Lists Durable's instances, for the whole app, and finds out whether one has ended.

Decides how large a page is. Azure Tables refuses a page of more than 1,000 rows, and the client's own default is 2^31-1
rows: https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination. Whatever the query, the Durable
extension puts the outputs of all instances of a page into one message, and gRPC refuses a message that is too large (4
MiB, unless host.json has another limit): such a list is read again with smaller pages.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

import grpc
from durabletask.client import AsyncTaskHubGrpcClient, OrchestrationQuery, OrchestrationState, OrchestrationStatus

_log = logging.getLogger(__name__)

OPEN = (OrchestrationStatus.PENDING, OrchestrationStatus.RUNNING, OrchestrationStatus.SUSPENDED)
"""The states of an instance that has not ended."""
_ENDED = (OrchestrationStatus.COMPLETED, OrchestrationStatus.FAILED, OrchestrationStatus.TERMINATED)

MOST_ON_A_PAGE = 1000
# The outcome of a swap is some 5 kB, the output of a month with 10,000 VMs some 5 MB.
_PAGES = (200, 10, 1)


async def list_instances(
    client: AsyncTaskHubGrpcClient,
    *,
    prefix: str | None = None,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    statuses: Sequence[OrchestrationStatus] = (),
) -> list[OrchestrationState]:
    """Every instance whose id begins with `prefix`, created in that time, in one of `statuses`, in the order of ids.

    Without inputs: the input of an instance is read with that instance. Raises grpc.RpcError.
    """
    for page in _PAGES:
        query = OrchestrationQuery(
            created_time_from=created_from,
            created_time_to=created_to,
            runtime_status=list(statuses) or None,
            instance_id_prefix=prefix,
            max_instance_count=page,
        )
        try:
            return await client.get_all_orchestration_states(query)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED or page == _PAGES[-1]:
                raise
    raise AssertionError("the last page size returns or raises")


async def list_open_runs(client: AsyncTaskHubGrpcClient) -> list[str]:
    """The ids of every orchestration that has not ended. Raises grpc.RpcError."""
    return [state.instance_id for state in await list_instances(client, statuses=OPEN)]


async def is_torn(client: AsyncTaskHubGrpcClient, run: str) -> bool:
    """Whether instance `run` exists and cannot be read. Raises grpc.RpcError when no instance can be read.

    An engine writes an instance's history first and its row second. One that dies between the first two writes leaves
    a row without name, creation time and status, which the extension cannot send and no list by time or status finds:
    https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Tracking/AzureTableTrackingStore.cs
    The instance itself goes on. An instance that a client has started always has its row: the client writes it.
    """
    try:
        await client.get_orchestration_state(run, fetch_payloads=False)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNKNOWN:
            raise
        return True
    return False


async def is_open(client: AsyncTaskHubGrpcClient, run: str) -> bool:
    """Whether instance `run` exists and has not ended, torn or not. Raises grpc.RpcError."""
    if not await is_torn(client, run):
        state = await client.get_orchestration_state(run, fetch_payloads=False)
        return state is not None and state.runtime_status in OPEN
    _log.error("instance %s cannot be read", run)
    try:
        ended = await list_instances(client, prefix=run, statuses=_ENDED)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNKNOWN:
            raise
        return False  # the list found it by its status, so it has ended; the extension cannot send it then, either
    return run not in [state.instance_id for state in ended]
