"""The app on Microsoft's Durable engine, in real time, with storage as strict as Azure's.

Decides how such a world comes up: in this process, or as instances that can be lost behind one address. Everything is
met from outside (`Outside`): the state of the dispatcher is what `GET /api/queue` and `GET /api/runs` say of it.
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
from tests.support.worlds.local_azure import ROOT, SETTINGS
from tests.support.worlds.outside import Outside
from tests.support.worlds.waiting import until

COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Compute"
# Azure's own work, planned short: what takes its time on the engine is not Azure.
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
class EngineAzure(Outside):
    """A running world; `log` is what its instances print as errors."""

    storage: StrictStorage
    log: Path | None = None

    def plan(self, *rules: Mapping[str, Any]) -> None:
        """Put `rules` before all others; the quick durations stay the last word."""
        faults = self.simulator.services.faults
        earlier = list(faults.rules)
        faults.rules.clear()
        faults.add([dict(rule) for rule in rules])
        faults.rules.extend(earlier)

    def release(self, *rules: Mapping[str, Any]) -> None:
        """End whatever hangs by a rule, and drop all rules but these and the quick durations."""
        faults = self.simulator.services.faults
        faults.clear()
        faults.add([dict(rule) for rule in (*rules, *QUICK)])

    async def queue(self) -> dict[str, Any]:
        """`GET /api/queue`; empty while nothing answers."""
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
        """What became of every VM that was swapped, by name: one row for every swap that has ended."""
        found: dict[str, list[dict[str, Any]]] = {}
        for run in await self.swaps():
            for row in run["vms"]:
                if row["status"] != "running":
                    found.setdefault(name_of(row["vm"]), []).append({**row, "evidence": run.get("evidence", [])})
        return found

    async def idle(self) -> bool:
        """Whether the app says that nothing is looked at, waits or is under way."""
        queue = await self.queue()
        return bool(queue) and not (queue["running"] or queue["waiting"] or queue["looking"])

    async def wait(self, holds: Any, within_s: float, what: str) -> None:
        """Wait until something holds; AssertionError with what the app and its log say when it does not in time."""
        try:
            await until(holds, within_s, every_s=0.25, what=what)
        except AssertionError as error:
            said = self.log.read_text(errors="replace")[-3000:] if self.log else ""
            raise AssertionError(f"{error}; the queue says {await self.queue()}\n{said}") from None


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
    """The app as instances in processes of their own behind one address, on one hub of one storage."""

    front: FrontEnd = field(default_factory=FrontEnd)
    hub: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)

    async def add_instance(self) -> Instance:
        """Start an instance and let it have requests."""
        assert self.log is not None
        with self.log.open("ab") as log:
            storage = self.storage.connection_string
            instance = await start_instance(ROOT, settings=self.settings, storage=storage, task_hub=self.hub, log=log)
        self.instances.append(instance)
        self.front.instances.append(instance.functions)
        return instance

    async def lose(self, instance: Instance) -> None:
        """Lose an instance, app and engine at once, as a machine is lost."""
        self.instances.remove(instance)
        self.front.instances.remove(instance.functions)
        await instance.lose()

    def kill_engine(self) -> None:
        """Kill the engine of the one instance, as a Functions host crashes; the app in it lives on."""
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
    """The app as `instances` instances on `hub`, with Event Grid's subscription at their one address."""
    async with AsyncExitStack() as stack:
        simulator = _simulator(clock, scenario)
        endpoints = await simulator.start()
        stack.push_async_callback(simulator.stop)
        front = await stack.enter_async_context(FrontEnd())
        http = await stack.enter_async_context(aiohttp.ClientSession())
        told = {**app_settings(ROOT, endpoints, simulator), **SETTINGS, **(settings or {})}
        world = Site(clock, simulator, endpoints, front.url, http, storage, log, front, hub, told)
        try:
            await asyncio.gather(*(world.add_instance() for _ in range(instances)))
            await simulator.event_grid.subscribe(
                f"{front.url}/runtime/webhooks/eventgrid?functionName={EVENT_FUNCTION}"
            )
            yield world
        finally:
            for instance in list(world.instances):
                await world.lose(instance)
