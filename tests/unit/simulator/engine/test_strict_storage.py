"""The strict storage in front of Azurite: refused requests and forwarded ones."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from simulator.clock import Clock
from simulator.engine.azurite import Azurite
from simulator.engine.strict_storage import MAX_PAGE, StrictStorage

Send = Callable[[str], Awaitable[tuple[int, str]]]


async def _echo(request: web.Request) -> web.Response:
    signed = request.headers.get("Authorization")
    return web.Response(text=f"{request.method} {request.raw_path} {signed} {await request.text()}", status=202)


def in_front_of_an_echo(story: Callable[[StrictStorage, Send], Awaitable[None]], *, latency_s: float = 0.0) -> None:
    """Run a scenario with the strict storage in front of a server that echoes each request."""

    async def main() -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", _echo)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        behind = Azurite()
        behind.ports = {"Table": runner.addresses[0][1]}
        try:
            async with StrictStorage(behind, latency_s=latency_s) as strict, aiohttp.ClientSession() as http:
                (endpoint,) = re.findall(r"TableEndpoint=([^;]+)/devstoreaccount1;", strict.connection_string)

                async def send(path: str) -> tuple[int, str]:
                    url, headers = URL(endpoint + path, encoded=True), {"Authorization": "SharedKey x"}
                    async with http.put(url, data="body", headers=headers) as answer:
                        return answer.status, await answer.text()

                await story(strict, send)
        finally:
            await runner.cleanup()

    asyncio.run(main())


@pytest.mark.parametrize("top", [str(MAX_PAGE + 1), "2147483647", "many"])
def test_a_page_that_azure_tables_refuses_is_refused(top: str) -> None:
    """The answer is Azure's 400, the refusal is counted, and Azurite, which would accept it, gets no request."""

    async def story(strict: StrictStorage, send: Send) -> None:
        status, text = await send(f"/Instances()?$top={top}")
        assert (status, "InvalidInput" in text) == (400, True)
        assert (strict.refused, strict.requests) == (1, 1)

    in_front_of_an_echo(story)


def test_other_requests_are_forwarded_unchanged() -> None:
    """Path, query, method, body, headers and status stay the same, and nothing is refused."""

    async def story(strict: StrictStorage, send: Send) -> None:
        path = f"/Instances()?$top={MAX_PAGE}&$filter=PartitionKey%20eq%20%27a%2Fb%27"
        assert await send(path) == (202, f"PUT {path} SharedKey x body")
        assert (await send("/queue/messages"))[0] == 202
        assert (strict.refused, strict.requests) == (0, 2)

    in_front_of_an_echo(story)


def test_a_request_is_delayed_by_the_latency() -> None:
    """The latency can be changed while the storage serves."""

    async def story(strict: StrictStorage, send: Send) -> None:
        begun_s = Clock.stopwatch()
        await asyncio.gather(*(send("/") for _ in range(9)))
        assert Clock.stopwatch() - begun_s > 0.3
        strict.latency_s = 0.0
        begun_s = Clock.stopwatch()
        await send("/")
        assert Clock.stopwatch() - begun_s < 0.3

    in_front_of_an_echo(story, latency_s=0.3)
