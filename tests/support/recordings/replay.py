"""Sends recorded requests to a simulator in virtual time and records how its answers differ."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from simulator import clock as clocks
from simulator.clock import Clock
from simulator.world import Endpoints, Simulator
from tests.support.recordings.initial_resources import created_later, created_outside, initial_resources
from tests.support.recordings.recordings import Interaction, Json, differences
from tests.support.recordings.retry_after import RetryAfter, retry_after_of

_LONGEST_OPERATION_S = 4 * 3600
_LONGEST_PAUSE_S = 900


@dataclass
class Operation:
    """An operation of the simulator in place of a recorded one."""

    status_url: str | None
    location: str | None
    retry_after: RetryAfter


@dataclass
class ReplayResult:
    """One interaction replayed: how the answer differs, or why it was not sent."""

    recording: str
    index: int
    request: str
    differences: list[str] = field(default_factory=list)
    skipped: str | None = None


@dataclass(frozen=True)
class Reply:
    """An answer of the simulator."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Replay:
    """One recording against one simulator."""

    def __init__(self, clock: Clock, endpoints: Endpoints, session: aiohttp.ClientSession, token: str) -> None:
        self._clock = clock
        self._endpoints = endpoints
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"}
        self._operations: dict[str, Operation] = {}

    async def seed(self, bodies: list[Json]) -> None:
        """Seed `bodies` through the control plane."""
        if bodies:
            reply = await self._send("PUT", f"{self._endpoints.control}/resources", bodies)
            assert reply.status == 200, reply.body

    async def control(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request to the control plane."""
        return await self._send(method, f"{self._endpoints.control}/{path}", body)

    async def arm(self, method: str, path_and_query: str, body: Any = None) -> Reply:
        """Send a request to ARM."""
        return await self._send(method, self._endpoints.arm + path_and_query, body)

    async def settle(self, reply: Reply) -> None:
        """Wait for the end of the operation that an answer points to."""
        url = reply.headers.get("Azure-AsyncOperation")
        if url:
            await self._until_over(url)

    def map_operation(self, guid: str, reply: Reply, begun: Interaction) -> None:
        """Use the operation of `reply` in place of the recorded operation `guid`."""
        self._operations[guid] = Operation(
            reply.headers.get("Azure-AsyncOperation"), reply.headers.get("Location"), retry_after_of(begun)
        )

    async def interaction(self, recorded: Interaction, recording: str) -> ReplayResult:
        """Replay one interaction."""
        result = ReplayResult(recording, recorded.index, f"{recorded.method} {recorded.path_and_query[-110:]}")
        if recorded.polled_operation:
            await self._poll(recorded, result)
            return result
        reply = await self.arm(recorded.method, recorded.path_and_query, recorded.request_body)
        result.differences += differences(recorded, reply.status, reply.headers, reply.body)
        if recorded.begun_operation:
            result.differences += retry_after_of(recorded).of_first(reply.headers)
            self.map_operation(recorded.begun_operation, reply, recorded)
        return result

    async def _poll(self, recorded: Interaction, result: ReplayResult) -> None:
        operation = self._operations.get(recorded.polled_operation or "")
        if operation is None:
            result.skipped = "the polled operation began outside the recording"
            return
        url = operation.location if recorded.query.get("monitor") == "true" else operation.status_url
        if url is None:
            result.differences.append("no operation to poll")
            return
        reply = await (self._send("GET", url) if recorded.in_progress else self._until_over(url))
        result.differences += differences(recorded, reply.status, reply.headers, reply.body)
        result.differences += operation.retry_after.of_poll(reply.headers, in_progress=recorded.in_progress)

    async def _until_over(self, url: str) -> Reply:
        gives_up = self._clock.time() + _LONGEST_OPERATION_S
        while True:
            reply = await self._send("GET", url)
            running = isinstance(reply.body, dict) and reply.body.get("status") == "InProgress"
            if not (running or reply.status == 202) or self._clock.time() > gives_up:
                return reply
            await asyncio.sleep(1)

    async def _send(self, method: str, url: str, body: Any = None) -> Reply:
        data = None if body is None else json.dumps(body)
        headers = self._headers | ({"Content-Type": "application/json"} if data else {})
        async with self._session.request(method, url, data=data, headers=headers) as response:
            text = await response.text()
            return Reply(response.status, response.headers, json.loads(text) if text else None)


async def _token(session: aiohttp.ClientSession, endpoints: Endpoints) -> str:
    query = {"api-version": "2019-08-01", "resource": "https://management.azure.com/"}
    headers = {"X-IDENTITY-HEADER": endpoints.identity_header}
    async with session.get(endpoints.identity_endpoint, params=query, headers=headers) as response:
        return str((await response.json())["access_token"])


@asynccontextmanager
async def world(clock: Clock) -> AsyncIterator[Replay]:
    """A new simulator on `clock`, and a replay with a token for it."""
    simulator = Simulator(clock)
    endpoints = await simulator.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            yield Replay(clock, endpoints, session, await _token(session, endpoints))
    finally:
        await simulator.stop()


def replay(recording: str, interactions: list[Interaction], seeds: list[Json] | None = None) -> list[ReplayResult]:
    """Replay `interactions`, in order, on a new simulator with their initial resources; returns the results."""

    async def main(clock: Clock) -> list[ReplayResult]:
        async with world(clock) as run:
            await run.seed(initial_resources(interactions) if seeds is None else seeds)
            results: list[ReplayResult] = []
            later = created_later(interactions) if seeds is None else {}
            for number, recorded in enumerate(interactions):
                if results and not recorded.in_progress:
                    pause_s = (recorded.date - interactions[number - 1].date).total_seconds()
                    await asyncio.sleep(min(max(pause_s, 0), _LONGEST_PAUSE_S))
                await run.seed(later.get(recorded.index, []))
                await run.seed(created_outside(interactions[:number], recorded))
                results.append(await run.interaction(recorded, recording))
            return results

    return clocks.run(main, Clock("virtual"))
