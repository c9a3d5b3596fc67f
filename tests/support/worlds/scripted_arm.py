"""An ARM on loopback that gives a test's answers, each once, and records the requests."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import pytest
from aiohttp import web

from refresh.settings.settings import Settings
from refresh.wiring import ArmGateways, connect
from simulator.clock import Clock, run

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/web"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-1"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/web-1-202611"
GALLERY = f"{GROUP}/providers/Microsoft.Compute/galleries/images"
DEFINITION = f"{GALLERY}/images/linux"
VERSION = f"{DEFINITION}/versions/202611.1.0"
DATE = "Sun, 01 Nov 2026 02:00:00 GMT"
DATE_ISO = "2026-11-01T02:00:00+00:00"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; `body` is JSON, or bytes as they are; `lost` drops the connection instead."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False


LOST = Answer(lost=True)


@dataclass(frozen=True)
class RecordedRequest:
    """One recorded request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


class ScriptedArm:
    """Answers requests in the order of `answers`; a request without an answer gets a 418, which fails the test.

    In headers and bodies `{base}` stands for its own address, and each key of `names` for its value.
    """

    def __init__(self, *answers: Answer, **env: str) -> None:
        self._answers = list(answers)
        self._env = env
        self._patch = pytest.MonkeyPatch()
        self.requests: list[RecordedRequest] = []
        self.base = ""
        self.names: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/msi/token", self._token)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._patch.setenv("IDENTITY_ENDPOINT", f"{self.base}/msi/token")
        self._patch.setenv("IDENTITY_HEADER", "local")
        scope = {} if "REFRESH_MANAGEMENT_GROUP" in self._env else {"REFRESH_SUBSCRIPTIONS": SUBSCRIPTION}
        env = {name: value.replace("{base}", self.base) for name, value in self._env.items()}
        self.settings = Settings.from_env({**scope, "REFRESH_ARM_ENDPOINT": self.base, **env})
        self.gateways: ArmGateways = connect(self.settings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.gateways.close()
        await self._runner.cleanup()
        self._patch.undo()

    async def _token(self, request: web.Request) -> web.Response:
        expires_on = str(int(Clock.wall()) + 86400)
        token = {"access_token": "secret-token", "expires_on": expires_on, "resource": request.query["resource"]}
        return web.json_response({**token, "token_type": "Bearer"})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.requests.append(
            RecordedRequest(
                request.method,
                request.rel_url.raw_path,
                dict(request.query),
                dict(request.headers),
                json.loads(text) if text else None,
            )
        )
        answer = self._answers.pop(0) if self._answers else Answer(418)
        if answer.lost:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        headers = {"Content-Type": "application/json", "Date": DATE, **answer.headers}
        for name, text in {**self.names, "{base}": self.base}.items():
            headers = {header: value.replace(name, text) for header, value in headers.items()}
            body = body.replace(name.encode(), text.encode())
        return web.Response(status=answer.status, body=b"" if answer.body is None else body, headers=headers)


def against[T](arm: ScriptedArm, call: Callable[[ArmGateways], Awaitable[T]]) -> T:
    """The result of `call` with gateways to `arm`, in virtual time."""

    async def main(_: Clock) -> T:
        async with arm:
            return await call(arm.gateways)

    return run(main, Clock("virtual"))


async def gather[T](found: Any) -> list[T]:
    """Everything an async iterator yields."""
    return [item async for item in found]
