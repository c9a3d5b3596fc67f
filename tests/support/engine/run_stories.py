"""Runs the toy app on an engine, with the host.json settings of the stories.

Decides how both engines are started. Does not know the stories.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.clock import Clock, run
from simulator.durable import DurableHub
from simulator.engine.azure_storage import AzureStorageEngine
from simulator.engine.azurite import Azurite
from simulator.engine.contract import Engine
from simulator.engine.simulated import SimulatedEngine
from simulator.engine.strict_storage import StrictStorage
from simulator.functions import FunctionsHost
from simulator.functions.host_json import HostJson
from tests.support.engine.answers import comparable
from tests.support.engine.story_client import StoryClient
from tests.support.engine.watching import Watched
from tests.support.engine.worlds import Story, World
from tests.support.worlds.toy import TOY_APP, TOY_SETTINGS

# A story that takes longer hangs, even on a busy machine.
_TIMEOUT_S = 240.0


@dataclass
class ToyOnEngine:
    """The toy app on an engine."""

    clock: Clock
    host: FunctionsHost
    watched: Watched

    @asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[StoryClient]:
        """The calls of one story."""
        client = StoryClient(name, self.clock, self.host, self.watched)
        try:
            yield client
        finally:
            await client.close()


@asynccontextmanager
async def toy_on_engine(
    clock: Clock, *, real: bool, durable: Mapping[str, Any], storage: str | None = None
) -> AsyncIterator[ToyOnEngine]:
    """The toy app with `durable` as `extensions.durableTask` of host.json, on the real engine or on the hub."""
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app"
        shutil.copytree(TOY_APP, app, ignore=shutil.ignore_patterns("__pycache__"))
        document = {"version": "2.0", "extensions": {"durableTask": dict(durable)}}
        (app / "host.json").write_text(json.dumps(document))
        engine: Engine
        if real:
            engine = AzureStorageEngine(app, storage=storage)
        else:
            engine = SimulatedEngine(DurableHub(clock, HostJson.read(app).limits))
        watched = Watched(engine)
        host = FunctionsHost(app, clock, settings=TOY_SETTINGS, port=0, engine=watched)
        await host.start()
        try:
            yield ToyOnEngine(clock, host, watched)
        finally:
            await engine.close()
            await host.stop()


async def answer_of(toy: ToyOnEngine, story: Story, name: str, timeout_s: float = _TIMEOUT_S) -> Any:
    """Run a story on the toy app; returns its comparable answer, or its failure."""
    async with toy.client(name) as client:
        try:
            async with asyncio.timeout(timeout_s):
                return comparable(await story(client), name)
        except Exception as error:
            return {"the story itself failed": repr(error)}


def on_the_hub(world: World, name: str) -> Any:
    """Run one story of a world on its own hub, in virtual time."""

    async def main(clock: Clock) -> Any:
        async with toy_on_engine(clock, real=False, durable=world.settings) as toy:
            return await answer_of(toy, world.stories[name], name, timeout_s=10_000)

    return run(main, Clock("virtual"))


def on_the_engine(world: World, names: Sequence[str], *, at_once: int) -> dict[str, Any]:
    """Run stories of a world on one real engine in real time, `at_once` in parallel; returns their answers."""

    async def main(clock: Clock) -> dict[str, Any]:
        async with Azurite() as azurite, StrictStorage(azurite) as storage:
            durable, connection = world.settings, storage.connection_string
            async with toy_on_engine(clock, real=True, durable=durable, storage=connection) as toy:
                limit = asyncio.Semaphore(at_once)

                async def one(name: str) -> Any:
                    async with limit:
                        return await answer_of(toy, world.stories[name], name)

                return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))

    return run(main, Clock("real"))
