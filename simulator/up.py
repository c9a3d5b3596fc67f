"""`python -m simulator up`: the app on a local Azure, left running, with commands to paste.

Decides what is printed. stdout has the line of JSON of the endpoints unless it is a terminal, stderr everything else.
The app's log is a file.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from simulator.clock import Clock, run
from simulator.local_app import LocalApp, read_settings_file
from simulator.logs import logged
from simulator.scenarios import demo
from simulator.world import Endpoints, Simulator

if TYPE_CHECKING:
    from simulator.cli import Options

_VM = "Microsoft.Compute/virtualMachines"
# Simulated seconds on the built-in fleet: from a tag edit to the verified swap; the month, most of which is building,
# replicating and proving image versions; between two sweeps, by the schedule in local.settings.json.example.
_EDIT_S, _MONTH_S, _SWEEP_S = 90, 2700, 300
_FLEET = """
Every VM, what it runs and why; what a month would do; the month itself; its
progress; its results; its events:

  curl -s $APP/api/vms | python3 -m json.tool
  curl -s -X POST $APP/api/refresh -d '{"all": true, "rollout": "auto", "dryRun": true}' | python3 -m json.tool
  curl -s -X POST $APP/api/refresh -d '{"all": true, "rollout": "auto"}'
  curl -s $APP/api/queue | python3 -m json.tool
  curl -s $APP/api/runs | python3 -m json.tool
  curl -s $SIM/published | python3 -m json.tool
"""


def main(options: Options) -> int:
    """Serve until SIGINT or SIGTERM; the exit code."""
    from simulator.cli import end_in_order

    clock = options.make_clock()
    if options.scenario is None:
        options = replace(options, scenario="demo")
    log = Path(tempfile.mkdtemp(prefix="azure-vm-refresh-")) / "up.log"
    with logged(logging.FileHandler(log), clock, logging.WARNING):
        if options.verbose:
            _log_to_terminal_too()
        try:
            return run(lambda clock: end_in_order(_up(options, clock, log), 0), clock)
        except Exception:
            # It did not start, so the log has nothing that the error does not have.
            shutil.rmtree(log.parent)
            raise


def _log_to_terminal_too() -> None:
    root = logging.getLogger()
    (file,) = root.handlers
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(file.formatter)
    for each in file.filters:
        terminal.addFilter(each)
    root.addHandler(terminal)


async def _up(options: Options, clock: Clock, log: Path) -> int:
    from simulator.cli import announce, forever

    simulator = options.make_simulator(clock)
    settings = demo.SETTINGS if options.scenario == "demo" else {}
    app = LocalApp(simulator, Path.cwd(), port=options.functions_port, settings=settings, engine=options.engine)
    endpoints = await app.start()
    try:
        await app.check_ready(str(endpoints.functions))
        _print(commands(endpoints, clock, choose_example(simulator), log))
        for line in find_slips(simulator, os.environ):
            _print(line)
        if not sys.stdout.isatty():
            announce(endpoints)
        await forever()
    except asyncio.CancelledError:
        _print(f"\nStopped. The app's log stays in {log}")
        raise
    finally:
        await app.stop()
    return 0


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Example:
    """The VM that the commands are about: its id, the id of its OS disk, and the ARM body of a copy of that disk."""

    vm: str
    disk: str
    copy: str

    @property
    def name(self) -> str:
        """The VM's name."""
        return self.vm.rsplit("/", 1)[-1]


def choose_example(simulator: Simulator) -> Example | None:
    """A VM for the commands, one in scope if there is any; None without VMs."""
    vms = sorted(simulator.resources(_VM), key=lambda vm: ("AutoRefresh" not in vm.get("tags", {}), vm["id"]))
    if not vms:
        return None
    vm = vms[0]
    disk = str(vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"])
    place: dict[str, Any] = {key: vm[key] for key in ("location", "zones") if key in vm}
    copy = {**place, "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": disk}}}
    return Example(str(vm["id"]), disk, json.dumps(copy))


def find_slips(simulator: Simulator, environment: Mapping[str, str]) -> list[str]:
    """Notes on what is probably a typo: no VM in scope, or an environment variable that is no setting of the app."""
    tags = [(name, value) for vm in simulator.resources(_VM) for name, value in vm.get("tags", {}).items()]
    in_scope = [name for name, value in tags if name.lower() == "autorefresh" and value.lower() == "true"]
    slips = [] if in_scope else ["Note: no VM has the tag AutoRefresh=true, so none is in scope."]
    known = read_settings_file(Path.cwd())
    unknown = sorted(name for name in environment if name.startswith("REFRESH_") and name not in known)
    return slips + [f"Note: the app has no setting {name}; the environment variable has no effect." for name in unknown]


def commands(endpoints: Endpoints, clock: Clock, example: Example | None, log: Path) -> str:
    """Commands to paste, after the lines that export what they use; those for a VM only with an `example`."""
    exports = f"""
The app listens on {endpoints.functions}, its Azure on {endpoints.arm}.
{_pace(clock)}
The app's log: {log}

Paste these lines into a second terminal, then any of the commands below:

  export APP={endpoints.functions} ARM={endpoints.arm} SIM={endpoints.control}
"""
    if example is None:
        return exports + _FLEET
    return exports + _exports_of(example) + _FLEET + _on_a_vm(endpoints, example)


def _pace(clock: Clock) -> str:
    if clock.kind == "virtual":
        return "Time jumps to the next event. Ctrl-C ends it."
    edit, month, sweep = (_in_real_time(seconds / clock.speed) for seconds in (_EDIT_S, _MONTH_S, _SWEEP_S))
    return (
        f"Time runs {clock.speed:g} times as fast; the sweep runs every {sweep}. Ctrl-C ends it.\n"
        f"A tag edit is a verified swap in about {edit}, a month takes about {month}."
    )


def _in_real_time(seconds: float) -> str:
    return f"{max(1, seconds):.0f} s" if seconds < 100 else f"{math.ceil(seconds / 60)} min"


def _exports_of(example: Example) -> str:
    return f"""  export VM={quote(example.vm)}
  export DISK={quote(example.disk)}
  arm() {{ curl -s -X "$1" "$ARM$2" -H 'Authorization: Bearer any' -H 'Content-Type: application/json' -d "$3"; echo; }}
  tag() {{ arm PATCH "$VM/providers/Microsoft.Resources/tags/default?api-version=2024-07-01" \\
    "{{\\"operation\\": \\"Merge\\", \\"properties\\": {{\\"tags\\": {{\\"$1\\": \\"$2\\"}}}}}}"; }}
"""


def _on_a_vm(endpoints: Endpoints, example: Example) -> str:
    name, copy = example.name, example.disk.rsplit("/", 1)[-1] + "-copy"
    az_directory = Path(endpoints.ca_file).parent / "az"
    return f"""
A swap by tag edit: copy the OS disk of {name}, write the tag as the portal
does, read until the reason is already-there; then swap back:

  arm PUT "$DISK-copy?api-version=2024-03-02" {quote(example.copy)}
  tag OsDiskName {quote(copy)}
  curl -s "$APP/api/vms?vm={name}" | python3 -m json.tool
  tag OsDiskName @previous

A disk that does not exist is refused with a reason:

  tag OsDiskName nowhere
  curl -s "$APP/api/vms?vm={name}" | python3 -m json.tool

A failure: disks that the month makes for {name} do not boot. Then the timer of
the month, and every request to Azure:

  curl -s -X POST $SIM/faults -d '[{{"disk": "{name}-20*", "boots": false}}]'
  curl -s -X POST $APP/admin/functions/monthly_refresh -d '{{"input": ""}}'
  curl -s $SIM/journal | python3 -m json.tool

The same tag with the real Azure CLI (`make az-venv` installs it):

  export REQUESTS_CA_BUNDLE={endpoints.ca_file} AZURE_CONFIG_DIR={az_directory} AZURE_CORE_COLLECT_TELEMETRY=0
  export IDENTITY_ENDPOINT={endpoints.identity_endpoint} IDENTITY_HEADER={endpoints.identity_header}
  export AZURE_POD_IDENTITY_AUTHORITY_HOST=$ARM
  az() {{ .az-venv/bin/az "$@"; }}
  az cloud register -n Local --endpoint-resource-manager {endpoints.arm_tls} && az cloud set -n Local
  az login --identity
  az tag update --operation Merge --resource-id $VM --tags OsDiskName=@previous
"""
