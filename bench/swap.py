"""Compares a VM's downtime in the app's swap with a script that uses the SDK's default pollers.

`make bench-swap`: the local Azure at real speed draws each operation's duration from recorded ones. The app swaps five
VMs in each stop mode; plain azure-mgmt calls with the SDK's own pollers swap five more. The ratio is downtime (from the
accepted stop until the VM runs) divided by the sum of Azure's own work on that VM in this run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import aiohttp
import grpc
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.compute.aio import ComputeManagementClient
from rich.console import Console

from bench.tables import COMPUTE, MODES, OURS, PLAIN, SUBSCRIPTION, WHO, Run, loss_table, ratio_table
from simulator.clock import Clock, run
from simulator.engine.azure_storage import AzureStorageEngine
from simulator.engine.contract import Engine
from simulator.engine.kinds import ENGINES, EngineKind
from simulator.local_app import LocalApp
from simulator.world import Endpoints, Simulator


class _AllowHttp(SansIOHTTPPolicy[Any, Any]):
    def on_request(self, request: Any) -> None:
        request.context.options["enforce_https"] = False


def main() -> None:
    """Run the benchmark and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.swap")
    parser.add_argument("--vms", type=int, default=5, help="VMs for each stop mode and client (default 5)")
    parser.add_argument(
        "--at-once", type=int, metavar="N", help="N swaps by the app only, half in each stop mode, all at the same time"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=ENGINES, default="simulated", help="default %(default)s")
    parser.add_argument(
        "--latency-ms", type=float, default=10.0, help="of each request to storage, with azure-storage (default 10)"
    )
    typed = parser.parse_args()
    who, vms = ((OURS,), typed.at_once // len(MODES)) if typed.at_once else (WHO, typed.vms)
    runs = [
        Run(one, mode, f"{'this' if one == OURS else 'sdk'}-{mode}-{number}")
        for one in who
        for mode in MODES
        for number in range(vms)
    ]
    engine = typed.engine
    if engine == "azure-storage":
        engine = AzureStorageEngine(Path.cwd(), latency_s=typed.latency_ms / 1000)
    run(lambda clock: _bench(clock, runs, typed.seed, engine), Clock("real", 1.0))


async def _bench(clock: Clock, runs: Sequence[Run], seed: int, engine: Engine | EngineKind) -> None:
    console = Console(width=110)
    # As in Azure, the app's connections stay open; aiohttp would log an error for each at the end.
    logging.getLogger("asyncio").disabled = True
    scenario = list(chain.from_iterable(map(_bodies, runs)))
    simulator = Simulator(clock, seed=seed, scenario=scenario, throttle=True)
    ours = sum(each.who == OURS for each in runs)
    app = LocalApp(simulator, Path.cwd(), engine=engine, settings={"REFRESH_MAX_SWAPS": str(ours)})
    endpoints = await app.start()
    console.print(f"{len(runs)} swaps at real speed; this takes two to five minutes ...")
    try:
        async with aiohttp.ClientSession() as http:
            await asyncio.gather(_swap_plainly(endpoints, runs), *(_tag(http, endpoints, each) for each in runs))
            await _until_ours_are_over(app, runs)
        console.print(ratio_table(simulator, clock, runs))
        console.print(loss_table(simulator, clock, runs))
    finally:
        await app.stop()


def _bodies(each: Run) -> Iterator[dict[str, Any]]:
    properties = {
        "osType": "Linux",
        "hyperVGeneration": "V2",
        "diskSizeGB": 30,
        "creationData": {"createOption": "Empty"},
    }
    place = {"location": "westeurope", "zones": ["1"]}
    for disk in (f"{each.name}-old", f"{each.name}-new"):
        yield {"id": f"{COMPUTE}/disks/{disk}", **place, "sku": {"name": "Premium_LRS"}, "properties": properties}
    managed = {"id": f"{COMPUTE}/disks/{each.name}-old"}
    os_disk = {"name": f"{each.name}-old", "osType": "Linux", "createOption": "FromImage", "managedDisk": managed}
    tags = {"AutoRefresh": "true", "RefreshStopMode": each.mode} if each.who == OURS else {}
    yield {"id": each.vm, **place, "tags": tags, "properties": {"storageProfile": {"osDisk": os_disk}}}


async def _tag(http: aiohttp.ClientSession, endpoints: Endpoints, each: Run) -> None:
    if each.who != OURS:
        return
    url = f"{endpoints.arm}{each.vm}/providers/Microsoft.Resources/tags/default?api-version=2024-11-01"
    body = {"operation": "Merge", "properties": {"tags": {"OsDiskName": f"{each.name}-new"}}}
    async with http.patch(url, json=body, headers={"Authorization": "Bearer bench"}) as answer:
        answer.raise_for_status()


async def _until_ours_are_over(app: LocalApp, runs: Sequence[Run]) -> None:
    ours = [each for each in runs if each.who == OURS]
    assert app.host is not None
    ended: set[str] = set()
    failed: dict[str, Any] = {}
    for _ in range(900):
        state: dict[str, Any] = {}
        # The engine keeps a large state in a blob that the next batch replaces: a read may find no blob.
        with contextlib.suppress(grpc.aio.AioRpcError):
            state = await app.host.engine.entity_state("@dispatcher@app") or {}
        # The state shows the last swaps only.
        shown = state.get("finished", [])
        ended |= {*state.get("over", []), *(row["run"] for row in shown)}
        failed |= {row["run"]: row for row in shown if row["status"] not in ("succeeded", "not-proven")}
        if len(ended) >= len(ours):
            break
        await asyncio.sleep(1)
    if failed or len(ended) < len(ours):
        raise SystemExit(f"not every swap succeeded: {len(ended)} of {len(ours)} ended; {list(failed.values())}")


async def _swap_plainly(endpoints: Endpoints, runs: Sequence[Run]) -> None:
    """Swap as a script does: begin, `result()`, begin, `result()`. Without a Retry-After the SDK polls every 30 s."""
    credential = ManagedIdentityCredential()
    options: Any = {"base_url": endpoints.arm, "per_call_policies": [_AllowHttp()]}
    scopes = ["https://management.azure.com/.default"]
    async with (
        credential,
        ComputeManagementClient(credential, SUBSCRIPTION, credential_scopes=scopes, **options) as client,
    ):
        await asyncio.gather(*(_swap_one_plainly(client, each) for each in runs if each.who == PLAIN))


async def _swap_one_plainly(client: ComputeManagementClient, each: Run) -> None:
    vms, group = client.virtual_machines, "rg-bench"
    stop = vms.begin_deallocate if each.mode == "deallocate" else vms.begin_power_off
    await (await stop(group, each.name)).result()
    os_disk = {"name": f"{each.name}-new", "managedDisk": {"id": each.new_disk}}
    update: Any = {"properties": {"storageProfile": {"osDisk": os_disk}}}
    await (await vms.begin_update(group, each.name, update)).result()
    await (await vms.begin_start(group, each.name)).result()


if __name__ == "__main__":
    main()
