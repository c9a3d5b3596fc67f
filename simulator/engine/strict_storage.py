"""Makes Azurite as strict and as slow as Azure Storage, with a proxy in front of each of its three services.

Decides which requests are refused that Azurite accepts and Azure Tables does not (a page of more than 1,000 rows), and
how long a request is delayed. Does not know what is stored. Loopback only.
https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Self

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web
from yarl import URL

from simulator.engine.azurite import ACCOUNT, Azurite, connection_string

# The largest page of Azure Tables; a larger `$top` is refused with 400.
MAX_PAGE = 1000
_REFUSED = (
    '{"odata.error":{"code":"InvalidInput","message":'
    '{"lang":"en-US","value":"One of the request inputs is not valid."}}}'
)
_HOP_BY_HOP = {"transfer-encoding", "content-length", "connection", "keep-alive"}
# Requests are forwarded as signed: aiohttp must not add headers.
_NOT_ADDED = ("User-Agent", "Content-Type", "Accept", "Accept-Encoding")
# Azurite closes a connection after five idle seconds; reuse close to that could meet a closing connection.
_KEEP_ALIVE_S = 3.0
# The spread of a request's delay around its median: the sigma of a lognormal distribution.
_SPREAD = 0.4


class StrictStorage:
    """A context manager that serves the proxies. Clients use `connection_string`; `refused` and `requests` are counts.

    `latency_s` is the median delay of a request in seconds and can be changed at any time; Azure's own latency is about
    0.005 to 0.015 within a region.
    """

    def __init__(self, azurite: Azurite, *, latency_s: float = 0.0, seed: int = 0) -> None:
        """Make the proxies for a started `azurite`."""
        self._azurite, self.latency_s, self._random = azurite, latency_s, random.Random(seed)  # noqa: S311 (a delay)
        self._stack = AsyncExitStack()
        self.connection_string = ""
        self.refused = self.requests = 0

    async def __aenter__(self) -> Self:
        session = await self._stack.enter_async_context(
            ClientSession(
                connector=TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
                auto_decompress=False,
                timeout=ClientTimeout(total=None),
            )
        )
        endpoints = {service: await self._serve(session, port) for service, port in self._azurite.ports.items()}
        self.connection_string = connection_string(endpoints)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _serve(self, session: ClientSession, port: int) -> str:
        application = web.Application(client_max_size=1 << 30)

        async def forward(request: web.Request) -> web.Response:
            return await self._forward(session, port, request)

        application.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/{ACCOUNT}"

    async def _forward(self, session: ClientSession, port: int, request: web.Request) -> web.Response:
        self.requests += 1
        if self.latency_s:
            await asyncio.sleep(self.latency_s * self._random.lognormvariate(0, _SPREAD))
        if not _is_page(request.query.get("$top", "1")):
            self.refused += 1
            return web.Response(status=400, content_type="application/json", text=_REFUSED)
        try:
            body = await request.read()
        except ConnectionResetError:  # the client disconnected during its request
            return web.Response(status=400)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        async with session.request(
            request.method,
            URL(f"http://127.0.0.1:{port}{request.raw_path}", encoded=True),
            data=body,
            headers=headers,
            skip_auto_headers=_NOT_ADDED,
            allow_redirects=False,
        ) as answer:
            forwarded = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=forwarded)


def _is_page(top: str) -> bool:
    return top.isdecimal() and int(top) <= MAX_PAGE
