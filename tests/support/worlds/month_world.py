"""A fleet for monthly refreshes on a local Azure in the test's own process, with real HTTP and virtual time.

`on_arm` gives a test the gateways; `on_functions` also the whole app in the local Functions host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from refresh import wiring
from refresh.settings.settings import Settings, defaults
from refresh.wiring import ArmGateways, connect
from simulator.arm.core.store import Json
from simulator.clock import Clock, run
from simulator.durable import DurableHub
from simulator.functions import FunctionsHost
from simulator.world import Simulator
from tests.support.worlds.builders import GALLERY, GROUP, SUBSCRIPTION, VERSION_ID, disk_id

APP = Path(__file__).parents[3]
START = datetime(2026, 11, 1, 2, tzinfo=UTC)
PERIOD = "202611"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
GOLDEN = f"{COMPUTE}/virtualMachines/golden"
WINDOWS_ID = f"{GALLERY}/images/windows"
# Disabled, because these timers would start the month's work; tests start it themselves.
_TIMERS = ("monthly_refresh", "sweep", "purge_history", "weekly_retention")
_SEED = 7
_TIMERS_OFF = {f"AzureWebJobs.{name}.Disabled": "true" for name in _TIMERS}


def vm_id(name: str) -> str:
    return f"{COMPUTE}/virtualMachines/{name}"


def vm_bodies(
    name: str, tags: dict[str, str] | None = None, *, os_type: str = "Linux", version: str | None = None, **fields: Any
) -> list[Json]:
    """A VM and its OS disk `<name>-old`, in westeurope, zone 1; `fields` go into the VM's body."""
    origin: dict[str, Any] = {"createOption": "Empty"}
    if version is not None:
        origin = {"createOption": "FromImage", "galleryImageReference": {"id": version}}
    place = {"location": "westeurope", "zones": ["1"]}
    disk = {
        "id": disk_id(f"{name}-old"),
        **place,
        "sku": {"name": "Premium_LRS"},
        "tags": {"owner": "team"},
        "properties": {"osType": os_type, "hyperVGeneration": "V2", "diskSizeGB": 30, "creationData": origin},
    }
    os_disk = {"osType": os_type, "name": f"{name}-old", "managedDisk": {"id": disk["id"]}, "createOption": "FromImage"}
    vm = {
        "id": vm_id(name),
        **place,
        "tags": {"AutoRefresh": "true"} if tags is None else tags,
        "properties": {"storageProfile": {"osDisk": os_disk}},
    }
    return [disk, {**vm, **fields}]


def gallery_bodies(tags: dict[str, str] | None = None) -> list[Json]:
    """The gallery with definition `ubuntu`, captured from VM `golden`."""
    tagged = {"AutoRefresh": "true", "RefreshSource": GOLDEN, "RefreshPersonalizes": "true"}
    return [
        *vm_bodies("golden", {}),
        {"id": GALLERY, "location": "westeurope"},
        definition_body(f"{GALLERY}/images/ubuntu", tagged if tags is None else tags),
    ]


def definition_body(definition_id: str, tags: dict[str, str], **properties: Any) -> Json:
    made = {"osType": "Linux", "osState": "Specialized", "hyperVGeneration": "V2", "architecture": "x64"}
    return {"id": definition_id, "location": "westeurope", "tags": tags, "properties": {**made, **properties}}


def version_body(
    version_id: str = VERSION_ID, *, source: str = GOLDEN, regions: Sequence[str] = ("westeurope",)
) -> Json:
    return {
        "id": version_id,
        "location": "westeurope",
        "properties": {
            "publishingProfile": {"targetRegions": [{"name": name} for name in regions]},
            "storageProfile": {"source": {"virtualMachineId": source}},
        },
    }


@dataclass(frozen=True)
class World:
    """A running local Azure and the app's gateways to it."""

    clock: Clock
    simulator: Simulator
    gateways: ArmGateways
    settings: Settings

    def writes(self) -> list[str]:
        """Every request that changes something, as `PUT <last part of the path>`."""
        return [
            f"{row['method']} {row['path'].rsplit('/', 1)[-1]}"
            for row in self.requests()
            if row["method"] in ("PUT", "PATCH", "DELETE")
            or (row["method"] == "POST" and "ResourceGraph" not in row["path"])
        ]

    def requests(self) -> list[Json]:
        """Every request to ARM so far."""
        found: list[Json] = self.simulator.journal.to_json(self.clock.now())["requests"]
        return found

    def resource(self, resource_id: str) -> Json | None:
        """The resource as it is now."""
        record = self.simulator.store.get(resource_id)
        return record.body if record else None


@dataclass(frozen=True)
class HostedWorld(World):
    """A running local Azure with the whole app in the local Functions host."""

    hub: DurableHub

    async def run(self, name: str, data: Json | None = None) -> Any:
        """Start an orchestration, wait for its end and return its output."""
        instance = self.hub.start(name, data or {}, None)
        await self.hub.completed(instance)
        return self.hub.output(instance)


def on_arm[T](
    scenario: Iterable[Json], story: Callable[[World], Awaitable[T]], galleries: Sequence[str] = (GALLERY,)
) -> T:
    """Run `story` against a local Azure with `scenario`."""

    async def main(clock: Clock) -> T:
        async with AsyncExitStack() as stack:
            env = await _start(stack, clock, scenario, galleries)
            return await story(World(clock, *env[:3]))

    return run(main, Clock("virtual", start=START))


def on_functions[T](
    scenario: Iterable[Json],
    story: Callable[[HostedWorld], Awaitable[T]],
    galleries: Sequence[str] = (GALLERY,),
    **settings: str,
) -> T:
    """Run `story` with the hosted app and a local Azure with `scenario`."""

    async def main(clock: Clock) -> T:
        async with AsyncExitStack() as stack:
            simulator, gateways, known, env = await _start(stack, clock, scenario, galleries)
            host = FunctionsHost(
                APP, clock, settings={**defaults(), **env, **_TIMERS_OFF, **settings}, port=0, seed=_SEED
            )
            # Last: an activity that is being stopped may still use the gateways.
            stack.push_async_callback(wiring.close)
            await host.start()
            stack.push_async_callback(host.stop)
            return await story(HostedWorld(clock, simulator, gateways, known, host.hub))

    return run(main, Clock("virtual", start=START))


async def _start(
    stack: AsyncExitStack, clock: Clock, scenario: Iterable[Json], galleries: Sequence[str]
) -> tuple[Simulator, ArmGateways, Settings, dict[str, str]]:
    simulator = Simulator(clock, scenario=list(scenario))
    endpoints = await simulator.start()
    stack.push_async_callback(simulator.stop)
    env = {
        "REFRESH_SUBSCRIPTIONS": SUBSCRIPTION,
        "REFRESH_GALLERIES": ",".join(galleries),
        "REFRESH_ARM_ENDPOINT": endpoints.arm,
    }
    identity = {"IDENTITY_ENDPOINT": endpoints.identity_endpoint, "IDENTITY_HEADER": endpoints.identity_header}
    patch = stack.enter_context(pytest.MonkeyPatch.context())
    for name, value in identity.items():
        patch.setenv(name, value)
    settings = Settings.from_env(env)
    gateways = connect(settings)
    stack.push_async_callback(gateways.close)
    return simulator, gateways, settings, {**env, **identity}
