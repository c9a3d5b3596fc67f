"""`python -m simulator up`: the app on a pretend Azure, left running, with lines to try.

Decides what somebody is told who has just started it. stdout gets the one line of JSON, everything else is stderr.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.clock import Clock, run
from simulator.local_app import LocalApp
from simulator.scenarios.demo import WEB, vm_id
from simulator.world import Endpoints

if TYPE_CHECKING:
    from simulator.cli import Options


def main(options: Options) -> int:
    """Serve until told to stop; the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("refresh").setLevel(logging.INFO)
    logging.getLogger().addFilter(lambda record: "Auth level" not in record.getMessage())
    if options.scenario is None:
        options = replace(options, scenario="demo")
    return run(lambda clock: _up(options, clock), options.make_clock())


async def _up(options: Options, clock: Clock) -> int:
    from simulator.cli import announce, until_told

    app = LocalApp(clock, options.make_simulator(clock), Path.cwd(), port=options.functions_port)
    endpoints = await app.start()
    try:
        announce(endpoints)
        print(lines_to_try(endpoints, options.speed), file=sys.stderr, flush=True)
        await until_told()
    finally:
        await app.stop()
    return 0


def lines_to_try(endpoints: Endpoints, speed: float) -> str:
    """What to type next, with the addresses filled in."""
    vm = vm_id(WEB, "web01")
    return f"""
The app listens on {endpoints.functions}, its Azure on {endpoints.arm}; at {speed:g} times real speed. Ctrl-C ends it.

  curl -s {endpoints.functions}/api/vms | python3 -m json.tool
  curl -s -X POST {endpoints.functions}/api/refresh -d '{{"all": true, "rollout": "auto", "dryRun": true}}'
  curl -s -X POST {endpoints.functions}/api/refresh -d '{{"all": true, "rollout": "auto"}}'
  curl -s {endpoints.functions}/api/queue
  curl -s {endpoints.functions}/api/runs
  curl -s -X POST {endpoints.functions}/admin/functions/monthly_refresh -d '{{"input": ""}}'
  curl -s {endpoints.control}/journal

With the real Azure CLI (`make az-venv`, then in a shell of its own):

  export REQUESTS_CA_BUNDLE={endpoints.ca_file} AZURE_CONFIG_DIR=/tmp/az-local AZURE_CORE_COLLECT_TELEMETRY=0
  export IDENTITY_ENDPOINT={endpoints.identity_endpoint} IDENTITY_HEADER={endpoints.identity_header}
  export AZURE_POD_IDENTITY_AUTHORITY_HOST={endpoints.arm}
  az() {{ .az-venv/bin/az "$@"; }}
  az cloud register -n Local --endpoint-resource-manager {endpoints.arm_tls} && az cloud set -n Local
  az login --identity
  az tag update --operation Merge --resource-id {vm} --tags OsDiskName=@previous
"""
