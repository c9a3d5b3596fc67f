"""Runs the app on a simulated Azure: simulator, Functions host and the Event Grid subscription between them.

Decides the app's settings and the order of the start, on one event loop. Uses nothing of the app but its folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp

from simulator.engine.azure_storage import AzureStorageEngine, EngineFailed
from simulator.engine.azurite import AzuriteFailed
from simulator.engine.contract import Engine
from simulator.engine.kinds import EngineKind
from simulator.engine.program import MissingProgram
from simulator.functions.host import FunctionsHost
from simulator.functions.host_json import HostJsonRefused
from simulator.functions.indexing import IndexingFailed
from simulator.functions.routes import BadRoute
from simulator.functions.timers import BadTimers
from simulator.world import Endpoints, Simulator, StartError

EVENT_FUNCTION = "on_resource_write"
# Answered from the dispatcher state, without a request to Azure.
_FIRST_REQUEST = "/api/queue"
_GALLERIES = "Microsoft.Compute/galleries"


class LocalApp:
    """Starts `simulator` and, on its clock, the app in `app_dir`. `settings` override all other settings.

    `engine` runs the durable functions: an engine, or the name of the kind to make.
    """

    def __init__(
        self,
        simulator: Simulator,
        app_dir: Path,
        *,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        events: bool = True,
        engine: Engine | EngineKind = "simulated",
    ) -> None:
        """Make it. `port` is the Functions host's, 0 is any. `events=False`: the app gets no events of Event Grid."""
        self.clock, self.simulator = simulator.clock, simulator
        self._app_dir, self._port, self._events = app_dir, port, events
        self._settings = dict(settings or {})
        self._engine = engine
        self._running = AsyncExitStack()
        self.host: FunctionsHost | None = None

    async def start(self) -> Endpoints:
        """Start everything and return the addresses. On StartError, which names the reason, nothing keeps running."""
        async with AsyncExitStack() as stack:
            endpoints = await self.simulator.start()
            stack.push_async_callback(self.simulator.stop)
            settings = {**app_settings(self._app_dir, endpoints, self.simulator), **self._settings}
            try:
                engine = self._make_engine()
                self.host = FunctionsHost(
                    self._app_dir,
                    self.clock,
                    settings=settings,
                    port=self._port,
                    engine=engine,
                    seed=self.simulator.seed,
                )
                functions = await self.host.start()
            except (IndexingFailed, BadRoute, BadTimers, HostJsonRefused) as error:
                raise StartError(f"the app does not start: {error}") from error
            except (MissingProgram, EngineFailed, AzuriteFailed) as error:
                raise StartError(str(error)) from error
            stack.push_async_callback(self.host.engine.close)
            stack.push_async_callback(self.host.stop)
            if self._events:
                webhook = f"{functions}/runtime/webhooks/eventgrid?functionName={EVENT_FUNCTION}"
                await self.simulator.event_grid.subscribe(webhook)
            self._running = stack.pop_all()
        return replace(endpoints, functions=functions)

    def _make_engine(self) -> Engine | None:
        if not isinstance(self._engine, str):
            return self._engine
        if self._engine == "simulated":
            return None  # the host makes one
        if self.clock.kind != "real" or self.clock.speed != 1.0:
            raise StartError("the engine azure-storage runs in real time: it needs the real clock at speed 1")
        return AzureStorageEngine(self._app_dir)

    async def check_ready(self, functions: str) -> None:
        """Send the app a first request. StartError with the app's message if it fails.

        Only the app checks its settings: in Azure, too, the first request shows that they are wrong.
        """
        async with aiohttp.ClientSession() as http, http.get(f"{functions}{_FIRST_REQUEST}") as answer:
            if answer.status == 200:
                return
            problem = await answer.json(content_type=None)
        faults = [fault["detail"] for fault in problem.get("errors", ())] or [problem["detail"]]
        raise StartError("\n- ".join((problem["title"], *faults)))

    async def stop(self) -> None:
        """Stop everything."""
        await self._running.aclose()


def read_settings_file(app_dir: Path) -> dict[str, str]:
    """The settings in `local.settings.json`, or without it in the example file beside it; empty without both."""
    files = (app_dir / "local.settings.json", app_dir / "local.settings.json.example")
    file = next((path for path in files if path.exists()), None)
    return dict(json.loads(file.read_text(encoding="utf-8"))["Values"]) if file else {}


def app_settings(app_dir: Path, endpoints: Endpoints, simulator: Simulator) -> dict[str, str]:
    """The app's settings. Later sources override earlier: settings file, scenario, environment, simulator's addresses.

    An environment variable that the settings file does not name is no setting.
    """
    values = read_settings_file(app_dir)
    galleries = sorted(str(body["id"]) for body in simulator.resources(_GALLERIES))
    scenario = {
        "REFRESH_SUBSCRIPTIONS": ",".join(sorted(simulator.store.subscriptions)),
        "REFRESH_GALLERIES": ",".join(galleries),
    }
    addresses = {
        "REFRESH_ARM_ENDPOINT": endpoints.arm,
        "REFRESH_OUTCOME_TOPIC": endpoints.topic,
        "IDENTITY_ENDPOINT": endpoints.identity_endpoint,
        "IDENTITY_HEADER": endpoints.identity_header,
    }
    environment = {name: os.environ[name] for name in values if name in os.environ}
    return {**values, **scenario, **environment, **addresses}
