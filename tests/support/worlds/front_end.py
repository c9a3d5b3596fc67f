"""The common address of an app's instances, as App Service provides it.

Decides which instance gets a request: round robin. Does not know the requests. Answers 503 without an instance.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Self

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, web
from yarl import URL

_HOP_BY_HOP = {"transfer-encoding", "content-length", "connection", "keep-alive", "host"}


class FrontEnd:
    """Serves inside its `async with` block; `url` is its address, `instances` the addresses that it forwards to."""

    def __init__(self) -> None:
        """Create the front end without an instance."""
        self.url, self.instances = "", list[str]()
        self._turn = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._http = await self._stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=None)))
        application = web.Application(client_max_size=1 << 26)
        application.router.add_route("*", "/{path:.*}", self._forward)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _forward(self, request: web.Request) -> web.Response:
        if not self.instances:
            return web.Response(status=503, text="null", content_type="application/json")
        self._turn += 1
        instance = self.instances[self._turn % len(self.instances)]
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url, body = URL(instance + request.raw_path, encoded=True), await request.read()
        try:
            async with self._http.request(request.method, url, data=body, headers=headers) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)
        except ClientConnectionError:
            return web.Response(status=502, text="null", content_type="application/json")
