"""One instance of the app in a process of its own, on the real engine: what Azure runs several of, and may lose.

Reads one JSON line: `{"app", "settings", "storage", "task_hub"}` (folder, app settings, connection string, hub name).
Prints one, `{"functions", "engine"}`: the address it serves, and the engine's process id. Ends when its input closes or
on SIGTERM. Decides nothing; several instances on one storage and hub share the work.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

from simulator.clock import Clock, run
from simulator.engine.azure_storage import AzureStorageEngine
from simulator.functions.host import FunctionsHost
from simulator.logs import logged


def main() -> int:
    """Serve until the input closes; the exit code."""
    from simulator.cli import end_in_order

    clock = Clock("real", 1.0)
    setup: dict[str, Any] = json.loads(sys.stdin.readline())
    with logged(logging.StreamHandler(sys.stderr), clock, logging.WARNING):
        return run(lambda clock: end_in_order(_serve(setup, clock), 0), clock)


async def _serve(setup: dict[str, Any], clock: Clock) -> int:
    app = Path(setup["app"])
    engine = AzureStorageEngine(app, storage=setup["storage"], task_hub=setup["task_hub"])
    host = FunctionsHost(app, clock, settings=setup["settings"], port=0, engine=engine)
    functions = await host.start()
    try:
        print(json.dumps({"functions": functions, "engine": engine.pid}), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            pass
    finally:
        await engine.close()
        await host.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
