"""Activity: makes one query for instances, as the lists of runs do, and the sweep before it begins a self-check."""

from __future__ import annotations

from typing import Any

import grpc

from refresh.reading.instances import list_instances


async def check_instances(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`{"prefix": text}` to `{"listed": n}`, or `{"problem"}`; `client` is the durable client that the host binds."""
    try:
        return {"listed": len(await list_instances(client, prefix=str(data["prefix"])))}
    except grpc.aio.AioRpcError as error:
        return {"problem": f"a query for instances was answered with {error.code().name}: {error.details()}"[:300]}
