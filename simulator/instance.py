"""Runs one instance of the app in its own process, on the real engine, as Azure runs several of them.

Reads one JSON line: `{"app", "settings", "storage", "task_hub"}` (folder, app settings, connection string, hub name).
Prints one, `{"functions", "engine"}`: the address it serves, and the engine's process id. Ends when its input closes or
on SIGTERM. Several instances on one storage and hub share the work.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

from simulator.cli import end_in_order
from simulator.clock import Clock, run
from simulator.engine.azure_storage import AzureStorageEngine
from simulator.functions.host import FunctionsHost
from simulator.logs import logged


def main() -> int:
    """Serve until the input closes; returns the exit code."""
    clock = Clock("real", 1.0)
    setup: dict[str, Any] = json.loads(sys.stdin.readline())
    with logged(logging.StreamHandler(sys.stderr), clock, logging.WARNING):
        return run(lambda clock: end_in_order(_serve(setup, clock), 0), clock)


async def _serve(setup: dict[str, Any], clock: Clock) -> int:
    app = Path(setup["app"])
    engine = AzureStorageEngine(app, storage=setup["storage"], task_hub=setup["task_hub"], own_session=False)
    host = FunctionsHost(app, clock, settings=setup["settings"], port=0, engine=engine)
    functions = await host.start()
    try:
        print(json.dumps({"functions": functions, "engine": engine.pid}), flush=True)
        await _input_closed()
    finally:
        await engine.close()
        await host.stop()
    return 0


async def _input_closed() -> None:
    # No thread: a thread that waits for a line would delay the end after a signal.
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass


if __name__ == "__main__":
    sys.exit(main())
