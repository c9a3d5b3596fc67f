"""Ends a child process: with SIGTERM, then with SIGKILL.

Decides how long a process has to end after SIGTERM. Does not know its purpose.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process

_GRACE_S = 10.0


async def end_process(process: Process) -> int:
    """Send SIGTERM, after ten seconds SIGKILL, and wait. Returns the exit code, or minus the signal's number."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _GRACE_S)
        except TimeoutError:
            process.kill()
    return await process.wait()
