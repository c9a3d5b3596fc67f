"""`python -m simulator up`: runs the app on a simulated Azure until it is stopped, and prints commands to try.

Decides which commands are printed. stdout gets one line of JSON, everything else goes to stderr.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.clock import Clock, run
from simulator.local_app import LocalApp
from simulator.logs import logged
from simulator.scenarios import demo
from simulator.world import Endpoints, Simulator

if TYPE_CHECKING:
    from simulator.cli import Options

_VM = "Microsoft.Compute/virtualMachines"
# Duration of a month's refresh of the built-in fleet, mostly building, replicating and proving image versions.
_MONTH_S = 1400


def main(options: Options) -> int:
    """Serve until stopped; returns the exit code."""
    from simulator.cli import end_in_order

    clock = options.make_clock()
    if options.scenario is None:
        options = replace(options, scenario="demo")
    with logged(logging.StreamHandler(sys.stderr), clock, logging.WARNING):
        return run(lambda clock: end_in_order(_up(options, clock), 0), clock)


async def _up(options: Options, clock: Clock) -> int:
    from simulator.cli import announce, forever

    simulator = options.make_simulator(clock)
    settings = demo.SETTINGS if options.scenario == "demo" else {}
    app = LocalApp(simulator, Path.cwd(), port=options.functions_port, settings=settings, engine=options.engine)
    endpoints = await app.start()
    try:
        await app.check_ready(str(endpoints.functions))
        announce(endpoints)
        print(lines_to_try(endpoints, clock, vm_in_scope(simulator)), file=sys.stderr, flush=True)
        await forever()
    finally:
        await app.stop()
    return 0


def vm_in_scope(simulator: Simulator) -> str:
    """The id of a VM for the example commands, one in scope if there is any; empty without VMs."""
    vms = sorted(simulator.resources(_VM), key=lambda vm: ("AutoRefresh" not in vm.get("tags", {}), vm["id"]))
    return str(vms[0]["id"]) if vms else ""


def lines_to_try(endpoints: Endpoints, clock: Clock, vm: str) -> str:
    """Example commands with the addresses filled in; `vm` is the id of the VM they change, empty for none."""
    app = endpoints.functions
    pace, month = f"runs {clock.speed:g} times as fast", f"about {max(1, round(_MONTH_S / clock.speed / 60))} min"
    if clock.kind == "virtual":
        pace, month = "jumps to the next event", "at once"
    general = f"""
The app listens on {app}, its Azure on {endpoints.arm}; time {pace}. Ctrl-C ends it.

List the VMs with their disks; plan a month's refresh without changes; run it ({month}); watch the queue and the run;
list the events published:

  curl -s {app}/api/vms | python3 -m json.tool
  curl -s -X POST {app}/api/refresh -d '{{"all": true, "rollout": "auto", "dryRun": true}}' | python3 -m json.tool
  curl -s -X POST {app}/api/refresh -d '{{"all": true, "rollout": "auto"}}'
  curl -s {app}/api/queue | python3 -m json.tool
  curl -s {app}/api/runs | python3 -m json.tool
  curl -s {endpoints.control}/published | python3 -m json.tool
"""
    return general + _for_one_vm(endpoints, vm) if vm else general


def _for_one_vm(endpoints: Endpoints, vm: str) -> str:
    app, name = endpoints.functions, vm.rsplit("/", 1)[-1]
    tags_url = f"{endpoints.arm}{vm}/providers/Microsoft.Resources/tags/default?api-version=2024-07-01"
    az_directory = Path(endpoints.ca_file).parent / "az"
    return f"""
Once {name} has its new disk: edit its tag as the portal does. Event Grid notifies the app, and the old disk comes back:

  curl -s -X PATCH '{tags_url}' \\
    -H 'Authorization: Bearer any' -H 'Content-Type: application/json' \\
    -d '{{"operation": "Merge", "properties": {{"tags": {{"OsDiskName": "@previous"}}}}}}'
  curl -s '{app}/api/vms?vm={name}' | python3 -m json.tool

Make {name}'s monthly disks fail to boot, fire the monthly timer, list every request to Azure:

  curl -s -X POST {endpoints.control}/faults -d '[{{"disk": "{name}-20*", "boots": false}}]'
  curl -s -X POST {app}/admin/functions/monthly_refresh -d '{{"input": ""}}'
  curl -s {endpoints.control}/journal | python3 -m json.tool

The same tag edit with the real Azure CLI (`make az-venv`, then in another shell):

  export REQUESTS_CA_BUNDLE={endpoints.ca_file} AZURE_CONFIG_DIR={az_directory} AZURE_CORE_COLLECT_TELEMETRY=0
  export IDENTITY_ENDPOINT={endpoints.identity_endpoint} IDENTITY_HEADER={endpoints.identity_header}
  export AZURE_POD_IDENTITY_AUTHORITY_HOST={endpoints.arm}
  az() {{ .az-venv/bin/az "$@"; }}
  az cloud register -n Local --endpoint-resource-manager {endpoints.arm_tls} && az cloud set -n Local
  az login --identity
  az tag update --operation Merge --resource-id {vm} --tags OsDiskName=@previous
"""
