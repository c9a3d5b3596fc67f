"""What the Functions host asks of a durable engine.

Decides the order of the calls: `start`, then `attach`, then the end of the stack that `start` was given. Does not know
where an engine keeps its state.
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
    """Runs the durable functions of one app: keeps histories and queues, and hands work to the app's worker."""

    @property
    def rpc_url(self) -> str:
        """Where durable clients reach the engine now; another address after the engine was started again."""

    @property
    def running(self) -> bool:
        """Whether the engine takes calls now; False while it is being started again."""

    async def start(self, stack: AsyncExitStack, names: DurableNames) -> None:
        """Take calls of durable clients from now on, for the functions `names`; `stack` ends what this starts."""

    async def attach(self, stack: AsyncExitStack, worker: Worker) -> None:
        """Hand work to `worker` from now on; `stack` takes the worker away again."""

    async def entity_state(self, entity_id: str) -> Any:
        """The JSON value that entity `@name@key` keeps; None if it keeps nothing."""

    async def close(self) -> None:
        """End for good: nothing is delivered any more."""
