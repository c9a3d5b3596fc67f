"""How a child process is ended: asked first, killed when it does not end.

Decides how long an ask is worth. Does not know what the process was for.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process

_GRACE_S = 10.0


async def end_process(process: Process) -> int:
    """End `process` and wait until it has: SIGTERM, after ten seconds SIGKILL. Its exit code, or minus the signal."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _GRACE_S)
        except TimeoutError:
            process.kill()
    return await process.wait()
