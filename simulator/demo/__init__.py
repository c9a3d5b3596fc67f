"""`python -m simulator demo`: one month, one tag edit and one disk that never boots, told live on a local Azure."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from simulator.clock import Clock, run
from simulator.demo.story import tell
from simulator.local_app import LocalApp
from simulator.world import Simulator

if TYPE_CHECKING:
    from simulator.cli import Options

SPEED = 30.0
_PAGE_WIDTH = 150
# The month's swaps follow from the rollout; a guest that never speaks is given three minutes instead of five.
_SETTINGS = {"REFRESH_ROLLOUT": "auto", "REFRESH_HEALTH_TIMEOUT_S": "180"}


def main(options: Options) -> int:
    """Tell the story; 0 only if every VM is where it should be at the end."""
    log = Path(tempfile.mkdtemp(prefix="azure-vm-refresh-")) / "demo.log"
    logging.basicConfig(filename=log, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    clock = Clock(options.clock, SPEED if options.speed == 1.0 else options.speed)
    return run(lambda clock: _demo(options, clock, log), clock)


async def _demo(options: Options, clock: Clock, log: Path) -> int:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PAGE_WIDTH)
    simulator = Simulator(clock, seed=options.seed, scenario=options.scenario or "demo")
    app = LocalApp(clock, simulator, Path.cwd(), settings=_SETTINGS)
    endpoints = await app.start()
    try:
        well = await tell(console, clock, endpoints)
    finally:
        await app.stop()
    if not well:
        console.print(f"Something is not as it should be; the app's own words are in {log}")
    return 0 if well else 1
