"""Hosts the toy app on a simulated clock."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.durable_functions.client import DurableFunctionsClient

from simulator.clock import Clock, run
from simulator.durable import DurableHub
from simulator.engine.simulated import SimulatedEngine
from simulator.functions import FunctionsHost

TOY_APP = Path(__file__).parent / "toy_app"
TOY_SETTINGS = {"TOY_SCHEDULE": "0 0 2 1 * *", "TOY_NAME": "toy"}
JOURNAL = "@journal@app"


@dataclass(frozen=True)
class Toy:
    """A running toy app."""

    clock: Clock
    host: FunctionsHost
    url: str

    @property
    def hub(self) -> DurableHub:
        """The hub of the host."""
        return self.host.hub

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        """The app's own durable client."""
        client = DurableFunctionsClient(self.host.durable_client)
        try:
            yield client
        finally:
            await client.close()

    async def run(self, name: str, payload: Any = None, instance_id: str | None = None) -> Any:
        """Start an orchestration, wait for its end and return its output."""
        instance_id = self.hub.start(name, payload, instance_id)
        await self.hub.completed(instance_id)
        return self.hub.output(instance_id)


@asynccontextmanager
async def hosted(
    clock: Clock, settings: Mapping[str, str] = TOY_SETTINGS, hub: DurableHub | None = None
) -> AsyncIterator[Toy]:
    """Host the toy app on a free port until the block ends."""
    engine = None if hub is None else SimulatedEngine(hub)
    host = FunctionsHost(TOY_APP, clock, settings=settings, port=0, engine=engine)
    url = await host.start()
    try:
        yield Toy(clock, host, url)
    finally:
        await host.stop()


def with_toy[T](story: Callable[[Toy], Coroutine[Any, Any, T]]) -> T:
    """Run `story` with the toy app on a virtual clock."""

    async def main(clock: Clock) -> T:
        async with hosted(clock) as toy:
            return await story(toy)

    return run(main, Clock("virtual"))
