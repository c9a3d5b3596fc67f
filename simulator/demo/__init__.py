"""`python -m simulator demo`: one month, one tag edit and one disk that never boots, told live on a local Azure."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from simulator.clock import Clock, run
from simulator.demo.picture import recording_console, write_picture
from simulator.demo.story import tell
from simulator.local_app import LocalApp
from simulator.logs import logged
from simulator.scenarios.demo import SETTINGS
from simulator.world import Simulator

if TYPE_CHECKING:
    from simulator.cli import Options

SPEED = 30.0
_PAGE_WIDTH = 150
_NOT_WELL = 1
# The month's swaps follow from the rollout; a guest that never speaks is given three minutes instead of five.
_SETTINGS = {
    "REFRESH_ROLLOUT": "auto",
    "REFRESH_HEALTH_TIMEOUT_S": "180",
    **SETTINGS,
}


def main(options: Options) -> int:
    """Tell the story; 0 only if every VM is where it should be at the end."""
    from simulator.cli import end_in_order

    simulated = options.engine == "simulated"
    clock = Clock(options.clock, SPEED if simulated and options.speed == 1.0 else options.speed)
    log = Path(tempfile.mkdtemp(prefix="azure-vm-refresh-")) / "demo.log"
    with logged(logging.FileHandler(log), clock, logging.INFO):
        code = run(lambda clock: end_in_order(_demo(options, clock, log)), clock)
    if code != _NOT_WELL:
        shutil.rmtree(log.parent)
    return code


async def _demo(options: Options, clock: Clock, log: Path) -> int:
    console = Console() if options.svg is None else recording_console()
    if not console.is_terminal and not console.record:
        console = Console(width=_PAGE_WIDTH)
    simulator = Simulator(clock, seed=options.seed, scenario="demo")
    app = LocalApp(simulator, Path.cwd(), settings=_SETTINGS, engine=options.engine)
    endpoints = await app.start()
    try:
        await app.check_ready(str(endpoints.functions))
        well = await tell(console, clock, endpoints)
    finally:
        await app.stop()
    if options.svg is not None:
        write_picture(console, options.svg)
    if not well:
        console.print(f"The app's own words are in {log}", soft_wrap=True)
    return 0 if well else _NOT_WELL
