"""The interface between the Functions host and a durable engine.

Decides the order of the calls: `start`, then `attach`, then the end of the stack passed to `start`. Does not know where
an engine stores its state.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from simulator.durable import Worker


@dataclass(frozen=True)
class DurableNames:
    """The names of an app's durable functions."""

    orchestrations: tuple[str, ...]
    entities: tuple[str, ...]
    activities: tuple[str, ...]


class Engine(Protocol):
    """Runs the durable functions of one app: stores histories and queues, and hands work to the app's worker."""

    @property
    def rpc_url(self) -> str:
        """The current address for durable clients; it changes when the engine is restarted."""

    @property
    def running(self) -> bool:
        """Whether the engine accepts calls; False during a restart."""

    async def start(self, stack: AsyncExitStack, names: DurableNames) -> None:
        """Start to accept calls of durable clients, for the functions `names`. `stack` stops the engine."""

    async def attach(self, stack: AsyncExitStack, worker: Worker) -> None:
        """Start to hand work to `worker`. `stack` detaches it."""

    async def entity_state(self, entity_id: str) -> Any:
        """The JSON value of the state of entity `@name@key`; None if it has none."""

    async def close(self) -> None:
        """Close the engine: nothing more is delivered."""
