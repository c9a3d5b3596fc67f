"""Receives the engine's calls to the app: HTTP on loopback, one request for each turn, entity batch and activity.

Decides the format of a call and of its failure. Does not decide when a call is made.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from aiohttp import web

from simulator.durable import FunctionFailed, Worker, WorkerDied

_MAX_BYTES = 256 * 1024**2


class Callback:
    """Serves `POST /{orchestrate|operate|act}/{name}` with `{"payload"}`: base64 of a turn or batch, or JSON text."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._attached = asyncio.Event()

    def attach(self, worker: Worker) -> None:
        """Pass calls to `worker`."""
        self._worker = worker
        self._attached.set()

    def detach(self) -> None:
        """Make further calls wait."""
        self._attached.clear()

    def application(self) -> web.Application:
        """The application to serve."""
        application = web.Application(client_max_size=_MAX_BYTES)
        application.router.add_post("/{verb:orchestrate|operate|act}/{name}", self._call)
        return application

    async def _call(self, request: web.Request) -> web.Response:
        await self._attached.wait()
        assert self._worker is not None
        verb, name = request.match_info["verb"], request.match_info["name"]
        payload = (await request.json())["payload"]
        try:
            return web.json_response({"ok": True, "payload": await _run(self._worker, verb, name, payload)})
        except FunctionFailed as failed:
            return web.json_response(_failure(failed))
        except WorkerDied as died:
            # The engine gets no result, as a Functions host whose worker process is gone.
            return web.Response(status=500, text=str(died))


async def _run(worker: Worker, verb: str, name: str, payload: str | None) -> str | None:
    if verb == "act":
        return await worker.act(name, payload)
    run = worker.orchestrate if verb == "orchestrate" else worker.operate
    return base64.b64encode(await run(name, base64.b64decode(payload or ""))).decode("ascii")


def _failure(failed: FunctionFailed) -> dict[str, Any]:
    return {"ok": False, "type": failed.error_type, "message": failed.message, "stack": failed.stack_trace}
