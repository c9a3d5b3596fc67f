"""Starts and ends instances of the app as processes, as Azure does when it scales, deploys, or loses a machine.

Decides how an instance is started, ended and killed. Does not know what the app does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from simulator.engine.process import end_process


class InstanceFailed(RuntimeError):
    """An instance ended before it served; its log has the reason."""


class Instance:
    """A started instance: `functions` is the address it serves, `engine` the process id of its first engine."""

    def __init__(self, process: Process, functions: str, engine: int) -> None:
        self.functions, self.engine = functions, engine
        self._process = process

    async def lose(self) -> None:
        """Kill app and engine at once with SIGKILL, as when a machine is lost: no step ends, no lease is released."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def end(self) -> int:
        """End it as a deployment does, with SIGTERM, so that it can finish its work; returns the exit code."""
        return await end_process(self._process)


async def start_instance(
    app_dir: Path, *, settings: Mapping[str, str], storage: str, task_hub: str, log: IO[bytes] | None = None
) -> Instance:
    """Start an instance of the app in `app_dir` and wait until it serves; `log` receives its stderr.

    InstanceFailed if it ends before.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulator.instance",
        stdin=PIPE,
        stdout=PIPE,
        stderr=log,
        cwd=Path(__file__).parents[2],
        start_new_session=True,  # contains the engine too, so that both can be killed at once
    )
    assert process.stdin is not None
    assert process.stdout is not None
    setup = {"app": str(app_dir), "settings": dict(settings), "storage": storage, "task_hub": task_hub}
    process.stdin.write(json.dumps(setup).encode() + b"\n")
    await process.stdin.drain()
    line = await process.stdout.readline()
    if not line:
        raise InstanceFailed(f"the instance ended with {await process.wait()}")
    ready = json.loads(line)
    return Instance(process, ready["functions"], ready["engine"])
