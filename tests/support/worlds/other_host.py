"""Another host than the one a token is for: a server on loopback that records what it gets.

Decides nothing about requests: it answers every one with an empty JSON object. Its port makes it another host.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from aiohttp import web


class OtherHost:
    """The server; `requests` has method and path of every request, `base` is its address."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.base = ""

    @property
    def authority(self) -> str:
        """Its host and port."""
        return self.base.removeprefix("http://")

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.path))
        return web.json_response({"value": [], "status": "Succeeded"})
