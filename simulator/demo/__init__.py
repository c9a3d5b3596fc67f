"""`python -m simulator demo`: one month, one tag edit and one disk that never boots, live on a local Azure."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from simulator.clock import Clock, run
from simulator.demo.picture import recording_console, write_picture
from simulator.demo.story import play
from simulator.demo.text import write
from simulator.local_app import LocalApp
from simulator.logs import logged
from simulator.scenarios.demo import SETTINGS
from simulator.world import Simulator

if TYPE_CHECKING:
    from simulator.cli import Options

SPEED = 30.0
_FAILED = 1
# The month swaps the VMs as well; a guest without a signal gets three minutes instead of five.
_SETTINGS = {
    "REFRESH_ROLLOUT": "auto",
    "REFRESH_HEALTH_TIMEOUT_S": "180",
    **SETTINGS,
}


def main(options: Options) -> int:
    """Run the demo; 0 only if every VM is where it should be at the end."""
    from simulator.cli import end_in_order

    simulated = options.engine == "simulated"
    clock = Clock(options.clock, SPEED if simulated and options.speed == 1.0 else options.speed)
    log = Path(tempfile.mkdtemp(prefix="azure-vm-refresh-")) / "demo.log"
    with logged(logging.FileHandler(log), clock, logging.INFO):
        code = run(lambda clock: end_in_order(_demo(options, clock, log)), clock)
    if code != _FAILED:
        shutil.rmtree(log.parent)
    return code


async def _demo(options: Options, clock: Clock, log: Path) -> int:
    console = Console() if options.svg is None else recording_console()
    simulator = Simulator(clock, seed=options.seed, scenario="demo")
    app = LocalApp(simulator, Path.cwd(), settings=_SETTINGS, engine=options.engine)
    endpoints = await app.start()
    try:
        await app.check_ready(str(endpoints.functions))
        well = await play(console, clock, endpoints)
    finally:
        await app.stop()
    if not well:
        write(console, f"The app's log: {log}")
    if options.svg is not None:
        write_picture(console, options.svg)
    return 0 if well else _FAILED
