"""`python -m simulator demo`: one month, one tag edit and one disk that never boots, told live on a local Azure."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from simulator.clock import Clock, run
from simulator.demo.story import tell
from simulator.local_app import LocalApp
from simulator.logs import log_to
from simulator.world import Simulator

if TYPE_CHECKING:
    from simulator.cli import Options

SPEED = 30.0
_PAGE_WIDTH = 150
# The month's swaps follow from the rollout; a guest that never speaks is given three minutes instead of five.
_SETTINGS = {"REFRESH_ROLLOUT": "auto", "REFRESH_HEALTH_TIMEOUT_S": "180"}


def main(options: Options) -> int:
    """Tell the story; 0 only if every VM is where it should be at the end."""
    from simulator.cli import end_in_order

    clock = Clock(options.clock, SPEED if options.speed == 1.0 else options.speed)
    return run(lambda clock: end_in_order(_demo(options, clock)), clock)


async def _demo(options: Options, clock: Clock) -> int:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PAGE_WIDTH)
    log = Path(tempfile.mkdtemp(prefix="azure-vm-refresh-")) / "demo.log"
    app = LocalApp(clock, Simulator(clock, seed=options.seed, scenario="demo"), Path.cwd(), settings=_SETTINGS)
    well = stopped = False
    try:
        log_to(logging.FileHandler(log), clock, logging.INFO)
        endpoints = await app.start()
        await app.ask_if_ready(str(endpoints.functions))
        well = await tell(console, clock, endpoints)
    except asyncio.CancelledError:
        stopped = True
        raise
    finally:
        await app.stop()
        if well or stopped:
            # Nobody closes the app's connections, in Azure neither; what Python says about that at exit goes nowhere.
            logging.basicConfig(handlers=[logging.NullHandler()], force=True)
            shutil.rmtree(log.parent)
        else:
            console.print(f"Something is not as it should be; the app's own words are in {log}")
    return 0 if well else 1
