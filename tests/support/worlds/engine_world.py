"""Runs the app on Microsoft's Durable engine, in real time, with storage as strict as Azure's.

Decides how the app starts: in this process, or as instances behind one address that can be killed. Tests use HTTP only
(`HttpAccess`): they read the dispatcher state from `GET /api/queue` and `GET /api/runs`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from refresh import wiring
from simulator.clock import Clock
from simulator.engine.azure_storage import AzureStorageEngine
from simulator.engine.azurite import Azurite
from simulator.engine.instances import Instance, start_instance
from simulator.engine.strict_storage import StrictStorage
from simulator.local_app import EVENT_FUNCTION, LocalApp, app_settings
from simulator.world import Simulator
from tests.support.worlds.builders import GALLERY, SUBSCRIPTION
from tests.support.worlds.front_end import FrontEnd
from tests.support.worlds.http_access import HttpAccess
from tests.support.worlds.local_azure import ROOT, SETTINGS
from tests.support.worlds.waiting import until

COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Compute"
# Short durations of Azure's own work: these tests measure the engine, not Azure.
QUICK: Sequence[Mapping[str, Any]] = (
    {"match": {"operation": "deallocate"}, "duration_s": 2},
    {"match": {"operation": "powerOff"}, "duration_s": 2},
    {"match": {"operation": "update"}, "duration_s": 0.5},
    {"match": {"operation": "start"}, "duration_s": 2},
    {"disk": "*-bad", "boots": False, "serial": "panic"},
    {"disk": "*", "boots": True, "takes_s": 2},
)
GALLERY_BODY = {"id": GALLERY, "location": "westeurope"}


def vm_id(name: str) -> str:
    """The id of the VM with this name."""
    return f"{COMPUTE}/virtualMachines/{name}"


def name_of(resource_id: str) -> str:
    """The last segment of an id."""
    return resource_id.rsplit("/", 1)[-1]


@dataclass
class EngineAzure(HttpAccess):
    """A running app and simulator; `log` is the file with the instances' stderr."""

    storage: StrictStorage
    log: Path | None = None

    def plan(self, *rules: Mapping[str, Any]) -> None:
        """Put `rules` before all other fault rules; the short durations stay last."""
        faults = self.simulator.services.faults
        earlier = list(faults.rules)
        faults.rules.clear()
        faults.add([dict(rule) for rule in rules])
        faults.rules.extend(earlier)

    def release(self, *rules: Mapping[str, Any]) -> None:
        """End every operation that a rule keeps hanging, and replace all rules by these and the short durations."""
        faults = self.simulator.services.faults
        faults.clear()
        faults.add([dict(rule) for rule in (*rules, *QUICK)])

    async def queue(self) -> dict[str, Any]:
        """The answer of `GET /api/queue`; empty while the app does not answer."""
        status, queue = await self.api("GET", "/api/queue")
        return dict(queue) if status == 200 else {}

    async def steps(self) -> dict[str, str | None]:
        """The step of every VM that is being swapped, by name."""
        return {name_of(row["vm"]): row["step"] for row in (await self.queue()).get("running", [])}

    async def swaps(self) -> list[dict[str, Any]]:
        """The run records of all swaps, newest first."""
        status, runs = await self.api("GET", "/api/runs?kind=swap&top=100")
        assert status == 200, runs
        return list(runs["value"])

    async def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of all ended swaps, by VM name."""
        found: dict[str, list[dict[str, Any]]] = {}
        for run in await self.swaps():
            for row in run["vms"]:
                if row["status"] != "running":
                    found.setdefault(name_of(row["vm"]), []).append({**row, "evidence": run.get("evidence", [])})
        return found

    async def idle(self) -> bool:
        """Whether the queue of the app has no look, no waiting VM and no running swap."""
        queue = await self.queue()
        return bool(queue) and not (queue["running"] or queue["waiting"] or queue["looking"])

    async def wait(self, holds: Any, within_s: float, what: str) -> None:
        """Wait until `holds`; after `within_s` AssertionError with `what`, the queue and the end of the log."""
        try:
            await until(holds, within_s, every_s=0.25, what=what)
        except AssertionError as error:
            log = self.log.read_text(errors="replace")[-3000:] if self.log else ""
            raise AssertionError(f"{error}; queue: {await self.queue()}\n{log}") from None


@asynccontextmanager
async def strict_storage() -> AsyncIterator[StrictStorage]:
    """Azurite with `StrictStorage` in front of it."""
    async with Azurite() as azurite, StrictStorage(azurite) as strict:
        yield strict


def _simulator(clock: Clock, scenario: Sequence[Mapping[str, Any]]) -> Simulator:
    simulator = Simulator(clock, scenario=[GALLERY_BODY, *map(dict, scenario)], seed=7)
    simulator.services.faults.add([dict(rule) for rule in QUICK])
    return simulator


@asynccontextmanager
async def hosted(
    clock: Clock,
    storage: StrictStorage,
    scenario: Sequence[Mapping[str, Any]],
    *,
    engine: AzureStorageEngine,
    settings: Mapping[str, str],
) -> AsyncIterator[EngineAzure]:
    """The app in this process on `engine`."""
    async with AsyncExitStack() as stack:
        simulator = _simulator(clock, scenario)
        stack.push_async_callback(wiring.close)
        app = LocalApp(simulator, ROOT, settings={**SETTINGS, **settings}, engine=engine)
        endpoints = await app.start()
        stack.push_async_callback(app.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield EngineAzure(clock, simulator, endpoints, str(endpoints.functions), http, storage)


@dataclass
class Site(EngineAzure):
    """The app as instances, each in its own process, behind one address and on one hub."""

    front: FrontEnd = field(default_factory=FrontEnd)
    hub: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)

    async def add_instance(self) -> Instance:
        """Start an instance and forward requests to it."""
        assert self.log is not None
        with self.log.open("ab") as log:
            storage = self.storage.connection_string
            instance = await start_instance(ROOT, settings=self.settings, storage=storage, task_hub=self.hub, log=log)
        self.instances.append(instance)
        self.front.instances.append(instance.functions)
        return instance

    async def lose(self, instance: Instance) -> None:
        """Kill an instance, app and engine together, as when its machine fails."""
        self.instances.remove(instance)
        self.front.instances.remove(instance.functions)
        await instance.lose()

    def kill_engine(self) -> None:
        """Kill the engine of the only instance, as when a Functions host crashes; its app keeps running."""
        (instance,) = self.instances
        os.kill(instance.engine, signal.SIGKILL)


@asynccontextmanager
async def site(
    clock: Clock,
    storage: StrictStorage,
    scenario: Sequence[Mapping[str, Any]],
    *,
    hub: str,
    log: Path,
    instances: int = 1,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Site]:
    """The app as `instances` instances on `hub`; Event Grid delivers to their common address."""
    async with AsyncExitStack() as stack:
        simulator = _simulator(clock, scenario)
        endpoints = await simulator.start()
        stack.push_async_callback(simulator.stop)
        front = await stack.enter_async_context(FrontEnd())
        http = await stack.enter_async_context(aiohttp.ClientSession())
        env = {**app_settings(ROOT, endpoints, simulator), **SETTINGS, **(settings or {})}
        world = Site(clock, simulator, endpoints, front.url, http, storage, log, front, hub, env)
        try:
            await asyncio.gather(*(world.add_instance() for _ in range(instances)))
            await simulator.event_grid.subscribe(
                f"{front.url}/runtime/webhooks/eventgrid?functionName={EVENT_FUNCTION}"
            )
            yield world
        finally:
            for instance in list(world.instances):
                await world.lose(instance)
