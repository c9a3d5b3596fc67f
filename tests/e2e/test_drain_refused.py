"""The steps around a deployment with an app that cannot be reached or gives no usable answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from simulator.clock import Clock, run
from tools import drain
from tools.shared.api_client import Api, ApiError
from tools.shared.deployment_pause import DeploymentPause


def pause_of(address: str) -> DeploymentPause:
    return DeploymentPause(Api(address, dict), 2.0, print)


@asynccontextmanager
async def answering(status: int, body: Any) -> AsyncIterator[tuple[str, list[str]]]:
    """The address of a server with the same answer to every request, and the requests that it gets."""
    requests: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        requests.append(f"{request.method} {request.path}")
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}", requests
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body", "message", "patient"),
    [
        (401, {"title": "Not signed in", "detail": "no"}, "API_ALLOWED_PRINCIPALS", False),
        (403, {"title": "Forbidden", "detail": "no"}, "API_ALLOWED_PRINCIPALS", False),
        (404, {"title": "Not found", "detail": "no"}, "may have a VM stopped", True),
        (500, {"title": "The app failed", "detail": "no"}, "may have a VM stopped", True),
        (503, {"title": "Wrong settings", "detail": "correct them"}, "correct them", True),
        (200, {"hello": "world"}, "not answered by azure-vm-refresh", False),
    ],
)
def test_an_app_without_a_usable_answer_stops_the_deployment(
    status: int, body: dict[str, str], message: str, *, patient: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the cure, after retries if a cold start can be the cause; with --force the deployment goes on."""

    async def main(clock: Clock) -> None:
        async with answering(status, body) as (address, requests):
            with pytest.raises(ApiError, match=message) as raised:
                await drain.before(pause_of(address), wait_s=900, force=False)
            assert "--force" in str(raised.value)
            assert (len(requests) > 1) is patient
            assert {line.split()[0] for line in requests} == {"GET"}
            assert await drain.before(pause_of(address), wait_s=900, force=True) == 0
            assert "goes on" in capsys.readouterr().err

    run(main, Clock("real", speed=600))


def test_an_app_that_is_out_of_reach_stops_the_deployment() -> None:
    """An address without a listener stops the deployment because the state of the VMs is unknown."""

    async def main(clock: Clock) -> None:
        with pytest.raises(ApiError, match="does not answer"):
            await drain.before(pause_of("http://127.0.0.1:9"), wait_s=900, force=False)

    run(main, Clock("real", speed=600))


@pytest.mark.parametrize(("status", "code"), [(401, 0), (403, 0), (503, 1)])
def test_the_end_of_a_deployment_by_a_caller_without_access_to_the_api(status: int, code: int) -> None:
    """A caller without access has no pause to end; if the app does not answer, the error has the command to resume."""

    async def main(clock: Clock) -> None:
        async with answering(status, {"title": "no", "detail": "no"}) as (address, _):
            if code:
                with pytest.raises(ApiError, match=r"tools\.drain --resume"):
                    await drain.after(pause_of(address))
            else:
                assert await drain.after(pause_of(address)) == 0

    run(main, Clock("real", speed=600))
