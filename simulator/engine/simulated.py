"""The simulator's durable hub as an engine: in memory, on the simulator's clock, real or virtual.

Adapts `simulator.durable` to the interface of an engine.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from simulator.durable import DurableHub, Worker
from simulator.durable.rpc import DurableRpc
from simulator.engine.contract import DurableNames


class SimulatedEngine:
    """`hub` with its gRPC server. The hub outlives the host: in the engine of another host its work continues."""

    running = True

    def __init__(self, hub: DurableHub) -> None:
        self.hub = hub
        self.rpc_url = ""

    async def start(self, stack: AsyncExitStack, names: DurableNames) -> None:
        """Serve gRPC until `stack` ends."""
        rpc = DurableRpc(self.hub)
        self.rpc_url = await rpc.start()
        stack.push_async_callback(rpc.stop)

    async def attach(self, stack: AsyncExitStack, worker: Worker) -> None:
        """Attach `worker` to the hub until `stack` ends."""
        self.hub.attach(worker)
        stack.push_async_callback(self.hub.detach)

    async def entity_state(self, entity_id: str) -> Any:
        """The entity's state in the hub."""
        return self.hub.entity_state(entity_id)

    async def close(self) -> None:
        """Stop the hub's timers."""
        self.hub.close()
