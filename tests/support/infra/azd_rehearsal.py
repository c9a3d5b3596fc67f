"""Rehearses `azd up`, `azd provision` and `azd deploy` against a local Azure with the app and one VM.

Decides the order of azd's hooks and steps, and the answers of the scripted `az` at each step.
https://github.com/Azure/azure-dev/blob/main/cli/azd/internal/cmd/up_graph.go
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.clock import Clock, run
from simulator.engine.kinds import EngineKind
from tests.support.infra.azd import Azd, Compiled
from tests.support.infra.azd_world import World, empty_world
from tests.support.infra.scripted_cli import Cli
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID
from tests.support.worlds.local_azure import disk_body, vm_body
from tools.events import FUNCTION
from tools.providers import FLEET, OWN

CLIENT, ME = "client-id", "44444444-4444-4444-8444-444444444444"
NO_GROUP = "refused ERROR: (ResourceGroupNotFound) Resource group 'rg-vm-refresh-test' could not be found."
MISSING = ("Microsoft.App", "Microsoft.ResourceHealth")
SCENARIO = [
    vm_body(),
    disk_body("web01-new"),
    disk_body("web01-newer"),
    {"id": f"/subscriptions/{SUBSCRIPTION}", "_notRegistered": list(MISSING)},
]


@dataclass
class Rehearsal:
    """One environment of azd and the local Azure that it deploys to.

    `printed`: the last output of each hook. `compiled`: the provisioned templates. `scripted`: extra answers of `az`.
    """

    azd: Azd
    world: World
    printed: dict[str, str] = field(default_factory=dict)
    compiled: list[Compiled] = field(default_factory=list)
    scripted: dict[str, Any] = field(default_factory=dict)

    async def up(self) -> None:
        """Run `azd up` until a hook fails. Raises HookFailed."""
        await self.provision()
        await self.deploy()

    async def provision(self) -> None:
        """Run `azd provision`. Raises HookFailed."""
        await self._hook("preprovision")
        await self._register()
        self.compiled.append(await self.azd.compile())
        self.azd.values |= self.world.provision(self.compiled[-1])
        await self._hook("postprovision")

    async def deploy(self) -> None:
        """Run `azd deploy`. Raises HookFailed."""
        await self._hook("predeploy")
        await self.world.deploy()
        await self._hook("postdeploy")
        if self.azd.cli.calls("deployment sub create"):
            await self.world.subscribe()

    async def queue(self) -> dict[str, Any]:
        """The app's answer to `GET /api/queue` with the token of the person who deploys."""
        headers = {"Authorization": f"Bearer {ME}@api://{CLIENT}"}
        async with self.world.http.get(f"{self.world.app_url}/api/queue", headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def request_disk(self, disk: str) -> None:
        """Edit the VM's tag."""
        tags = {"operation": "Merge", "properties": {"tags": {"OsDiskName": disk}}}
        await self.world.arm("PATCH", f"{VM_ID}/providers/Microsoft.Resources/tags/default", tags)

    async def vm(self) -> tuple[str, bool]:
        """The VM's OS disk, and whether it runs."""
        vm = await self.world.arm("GET", VM_ID, **{"$expand": "instanceView"})
        codes = [each["code"] for each in vm["properties"]["instanceView"]["statuses"]]
        return vm["properties"]["storageProfile"]["osDisk"]["name"], "PowerState/running" in codes

    async def down(self) -> None:
        """Wait until the VM is down."""

        async def is_down() -> bool:
            return not (await self.vm())[1]

        await self._until(is_down)

    async def swapped(self, disk: str) -> None:
        """Wait until the VM runs `disk` and its swap is over."""

        async def is_over() -> bool:
            return await self.vm() == (disk, True) and not (await self.queue())["running"]

        await self._until(is_over)

    def answer(self) -> None:
        """Set the answers of the scripted Azure CLI to the current state."""
        current = _answers(self.azd.values, deployed=self.world.deployments > 0)
        self.azd.cli.answers({**current, **self.scripted})

    async def _hook(self, name: str) -> None:
        self.answer()
        self.printed[name] = await self.azd.hook(name)

    async def _register(self) -> None:
        """Register the resource providers in the local Azure that the hook registered with the scripted CLI."""
        for call in self.azd.cli.calls("provider register"):
            where = f"/subscriptions/{call[call.index('--subscription') + 1]}"
            await self.world.arm("POST", f"{where}/providers/{call[call.index('--namespace') + 1]}/register")

    async def _until(self, holds: Callable[[], Awaitable[bool]], within_s: float = 900) -> None:
        deadline = self.world.clock.time() + within_s
        while self.world.clock.time() < deadline:
            if await holds():
                return
            await asyncio.sleep(1)
        raise AssertionError(f"did not hold within {within_s} s: {await self.vm()}, {await self.queue()}")


def rehearse(
    folder: Path,
    story: Callable[[Rehearsal], Awaitable[None]],
    *,
    engine: EngineKind = "simulated",
    speed: float = 10,
) -> None:
    """Run `story` with an Azure that has one VM and an azd environment with name, location and subscription.

    The real engine runs in real time: `speed` is 1 then.
    """

    async def main(clock: Clock) -> None:
        for name in ("bin", "azd", "apps"):
            (folder / name).mkdir()
        values = {"AZURE_ENV_NAME": "test", "AZURE_LOCATION": "westeurope", "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
        async with empty_world(clock, SCENARIO, folder / "apps", engine) as world:
            await story(Rehearsal(Azd(Cli(folder / "bin"), folder / "azd", values), world))

    run(main, Clock("real", speed=1 if engine == "azure-storage" else speed))


def _answers(values: dict[str, str], *, deployed: bool) -> dict[str, Any]:
    every = [{"namespace": each, "state": "Registered"} for each in sorted({*OWN, *FLEET})]
    some = [{**each, "state": "NotRegistered"} if each["namespace"] in MISSING else each for each in every]
    name = values.get("FUNCTION_APP_NAME")
    app = {"name": name, "host": f"{name}.azurewebsites.net", "state": "Running", "service": "app"}
    functions = [f"{name}/{each}" for each in ("get_queue", FUNCTION)] if deployed else []
    return {
        "provider list": {"in order": [some, every]},
        "ad app list": [],
        "rest --method POST": {"appId": CLIENT, "id": "object", "displayName": "azure-vm-refresh (test)"},
        "ad sp list": [],
        "signed-in-user show": {"id": ME},
        f"get-access-token --scope api://{CLIENT}/.default": {"accessToken": f"{ME}@api://{CLIENT}"},
        "functionapp list": [app] if name else NO_GROUP,
        "functionapp function list": functions,
        "functionapp function show": {"name": functions[1]} if deployed else "refused ERROR: (NotFound)",
        "system-topic list": [],
        "deployment sub create": {},
    }
