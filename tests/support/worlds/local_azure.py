"""Runs the whole product in one process: the simulator, the Functions host with the app, and Event Grid.

All parts use the given clock; with a virtual clock a month takes seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from refresh import wiring
from refresh.records.dispatcher_state import DispatcherState
from simulator.clock import Clock, run
from simulator.durable import DurableHub
from simulator.eventgrid import Chaos
from simulator.functions.host import FunctionsHost
from simulator.local_app import LocalApp
from simulator.world import Simulator
from tests.support.worlds.builders import GALLERY, GROUP, SUBSCRIPTION, disk_id
from tests.support.worlds.http_access import HttpAccess

ROOT = Path(__file__).parents[3]
# Longer than any planned delay of an answer; aiohttp's default, five minutes, is shorter than some.
_HTTP_TIMEOUT_S = 3600.0
# Timers do not fire by themselves in a test. The galleries are set even where a scenario has none.
SETTINGS = {
    "REFRESH_SUBSCRIPTIONS": SUBSCRIPTION,
    "REFRESH_GALLERIES": GALLERY,
    "REFRESH_SCHEDULE": "0 0 0 29 2 *",
    "SWEEP_SCHEDULE": "0 0 0 29 2 *",
    "PURGE_SCHEDULE": "0 0 0 29 2 *",
    "RETENTION_SCHEDULE": "0 0 0 29 2 *",
}
DISPATCHER, INBOX = "@dispatcher@app", "@inbox@app"


@dataclass
class LocalAzure(HttpAccess):
    """A running simulator and the app in this process, on the simulator's durable hub."""

    host: FunctionsHost

    @property
    def hub(self) -> DurableHub:
        """The durable hub of the app."""
        return self.host.hub

    def dispatcher_state(self) -> dict[str, Any]:
        """The dispatcher's state, with whole resource ids."""
        return DispatcherState(self.hub.entity_state(DISPATCHER)).json

    def running_swaps(self) -> list[dict[str, Any]]:
        """The rows of the running swaps in the dispatcher state."""
        return list(self.dispatcher_state().get("running", {}).values())

    def outcomes(self) -> list[dict[str, Any]]:
        """The outcomes in the entities `past_outcomes`, oldest first."""
        states = (self.hub.entity_state(f"@past_outcomes@{number:02x}") or {} for number in range(256))
        kept = {row["run"]: row for state in states for row in state.get("outcomes", ())}
        last = [row["run"] for row in self.dispatcher_state().get("finished", [])]
        older = sorted((row for run, row in kept.items() if run not in last), key=lambda row: str(row["ended"]))
        return [*older, *(kept[run] for run in last if run in kept)]

    async def until(self, holds: Callable[[], bool | Awaitable[bool]], within_s: float = 3600) -> None:
        """Let simulated time pass until `holds`; AssertionError after `within_s`."""
        deadline = self.clock.time() + within_s
        while self.clock.time() < deadline:
            value = holds()
            if value if isinstance(value, bool) else await value:
                return
            await asyncio.sleep(1)
        raise AssertionError(
            f"did not hold within {within_s} simulated seconds; dispatcher state: {self.dispatcher_state()}"
        )

    def idle(self) -> bool:
        """Whether no hint, no list, no open look, no waiting VM and no running swap is left."""
        state, inbox = self.dispatcher_state(), self.hub.entity_state(INBOX) or {}
        work = [state.get(part) for part in ("hints", "look", "queue", "running")]
        lists = [row for row in state.get("lists", {}).values() if not row.get("resting")]
        return not any([*work, lists, *(inbox.get(part) for part in ("waiting", "lists", "sent"))])

    async def settled(self, within_s: float = 7200) -> None:
        """Let time pass until every event is delivered and the dispatcher is idle, twice in a row."""
        await asyncio.sleep(2)
        for _ in range(2):
            await self.until(self.idle, within_s)
            await asyncio.sleep(5)
        await self.until(self.idle, within_s)


@asynccontextmanager
async def local_azure(
    clock: Clock,
    scenario: list[dict[str, Any]],
    *,
    settings: Mapping[str, str] | None = None,
    chaos: Chaos | None = None,
    events: bool = True,
) -> AsyncIterator[LocalAzure]:
    """Start the simulator with `scenario` and the app; `events=False` omits the Event Grid subscription."""
    simulator = Simulator(clock, scenario=scenario, chaos=chaos, seed=7)
    app = LocalApp(simulator, ROOT, settings={**SETTINGS, **(settings or {})}, events=events)
    endpoints = await app.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_HTTP_TIMEOUT_S)) as http:
            assert app.host is not None
            yield LocalAzure(clock, simulator, endpoints, str(endpoints.functions), http, app.host)
    finally:
        # Last: an activity that is being stopped may still use the gateways.
        await app.stop()
        await wiring.close()


def play(story: Callable[[LocalAzure], Awaitable[None]], scenario: list[dict[str, Any]], **options: Any) -> None:
    """Run a story on a local Azure in virtual time."""

    async def main(clock: Clock) -> None:
        async with local_azure(clock, scenario, **options) as azure:
            await story(azure)

    run(main, Clock("virtual"))


def vm_body(name: str = "web01", *, power: str = "running", agent: bool = True, **tags: str) -> dict[str, Any]:
    """A Linux VM of generation 2 in zone 1, running its own OS disk `<name>-old`."""
    return {
        "id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}",
        "location": "westeurope",
        "zones": ["1"],
        "tags": {"AutoRefresh": "true", **tags},
        "_power": power,
        "_agent": agent,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "osDisk": {
                    "name": f"{name}-old",
                    "osType": "Linux",
                    "createOption": "FromImage",
                    "managedDisk": {"id": disk_id(f"{name}-old"), "storageAccountType": "Premium_LRS"},
                }
            },
        },
    }


def disk_body(name: str, **properties: Any) -> dict[str, Any]:
    """A free OS disk that fits `vm_body`."""
    return {
        "id": disk_id(name),
        "location": "westeurope",
        "zones": ["1"],
        "sku": {"name": "Premium_LRS"},
        "properties": {
            "osType": "Linux",
            "hyperVGeneration": "V2",
            "diskSizeGB": 30,
            "creationData": {"createOption": "Empty"},
            **properties,
        },
    }
