"""Puts the toy app on an engine, with a host.json of the stories' choice.

Decides how both engines are made. Does not know the stories.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.clock import Clock
from simulator.durable import DurableHub
from simulator.engine.azure_storage import AzureStorageEngine
from simulator.engine.contract import Engine
from simulator.engine.simulated import SimulatedEngine
from simulator.functions import FunctionsHost
from simulator.functions.host_json import HostJson
from tests.support.engine.play import Play
from tests.support.engine.watching import Watched
from tests.support.toy import TOY_APP, TOY_SETTINGS

DURABLE: dict[str, Any] = {"entityMessageReorderWindowInMinutes": 0, "storageProvider": {"maxQueuePollingInterval": "00:00:00.2"}}


@dataclass
class Stage:
    """The toy app on an engine."""

    clock: Clock
    host: FunctionsHost
    watched: Watched

    @asynccontextmanager
    async def play(self, name: str) -> AsyncIterator[Play]:
        """The hands of a story."""
        play = Play(name, self.clock, self.host, self.watched)
        try:
            yield play
        finally:
            await play.close()


@asynccontextmanager
async def stage(clock: Clock, *, real: bool, durable: Mapping[str, Any], storage: str | None = None) -> AsyncIterator[Stage]:
    """The toy app with `durable` in host.json on the real engine, or on the hub."""
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app"
        shutil.copytree(TOY_APP, app, ignore=shutil.ignore_patterns("__pycache__"))
        document = {"version": "2.0", "extensions": {"durableTask": {**DURABLE, **durable}}}
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
            yield Stage(clock, host, watched)
        finally:
            await engine.close()
            await host.stop()
