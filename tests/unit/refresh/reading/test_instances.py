"""Lists of Durable's instances, read from the simulator's hub, which refuses what Azure refuses, and torn rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import pytest
from azure.durable_functions import DurableFunctionsClient
from durabletask.client import OrchestrationQuery, OrchestrationStatus
from grpc.aio import AioRpcError, Metadata

from refresh.reading.instances import _PAGES, MOST_ON_A_PAGE, OPEN, is_open, is_torn, list_instances
from tests.support.worlds.toy import Toy, with_toy


@asynccontextmanager
async def with_default_messages(toy: Toy) -> AsyncIterator[DurableFunctionsClient]:
    """A client that takes messages of gRPC's own size, 4 MiB."""
    configuration = {**json.loads(toy.host.durable_client), "maxGrpcMessageSizeInBytes": 0}
    client = DurableFunctionsClient(json.dumps(configuration))
    with toy.clock.hold():
        try:
            yield client
        finally:
            await client.close()


def test_more_instances_than_a_page_holds_are_all_listed() -> None:
    """All pages are read, each instance once, by id, and no page is larger than Azure Tables allows."""
    assert max(_PAGES) <= MOST_ON_A_PAGE == 1000

    async def story(toy: Toy) -> list[str]:
        for n in range(2 * max(_PAGES) + 1):
            toy.hub.start("slow_child", 1, f"a-{n:04}")
        toy.hub.start("slow_child", 1, "b-1")
        async with toy.client() as client:
            return [state.instance_id for state in await list_instances(client, prefix="a-")]

    assert with_toy(story) == [f"a-{n:04}" for n in range(2 * max(_PAGES) + 1)]


def test_a_list_is_narrowed_by_time_and_status() -> None:
    """A list has only instances that were created in the given time and have a given status."""

    async def story(toy: Toy) -> None:
        await toy.run("slow_child", 1, "old")
        between = toy.clock.now() + timedelta(minutes=1)
        toy.hub.start("slow_child", 10**6, "old-running")
        await toy.hub.orchestrations.watch("old-running", lambda one: one.status == OrchestrationStatus.RUNNING.value)
        async with toy.client() as client:

            async def listed(**filters: Any) -> list[str]:
                return [state.instance_id for state in await list_instances(client, **filters)]

            assert await listed() == ["old", "old-running"]
            assert await listed(statuses=OPEN) == ["old-running"]
            assert await listed(created_from=between) == []
            assert await listed(created_to=between) == ["old", "old-running"]

    with_toy(story)


def test_outputs_too_large_for_one_message_come_on_smaller_pages() -> None:
    """A page whose outputs are over 4 MiB is refused; smaller pages of the same list arrive."""

    async def story(toy: Toy) -> list[int]:
        for n in range(12):
            await toy.run("greet", "x" * 900_000, f"a-{n:02}")
        async with with_default_messages(toy) as client:
            found = await list_instances(client, prefix="a-")
            return [len(state.serialized_output or "") for state in found]

    sizes = with_toy(story)
    assert len(sizes) == 12
    assert min(sizes) > 900_000


class TornRows:
    """Answers as the extension does where instance `torn` has a row that it cannot send, found by status or not."""

    def __init__(self, code: grpc.StatusCode, *, ended: bool = False) -> None:
        self._code, self._ended = code, ended

    def _fail(self) -> AioRpcError:
        return AioRpcError(self._code, Metadata(), Metadata(), details="Exception was thrown by handler.")

    async def get_orchestration_state(self, run: str, *, fetch_payloads: bool) -> None:
        raise self._fail()

    async def get_all_orchestration_states(self, query: OrchestrationQuery) -> list[Any]:
        assert query.instance_id_prefix == "torn"
        if self._ended:
            raise self._fail()
        return []


@pytest.mark.parametrize("ended", [False, True])
def test_an_instance_whose_row_is_torn_is_open_until_it_has_ended(ended: bool) -> None:
    """A torn instance has ended when the list of ended instances has it."""
    client: Any = TornRows(grpc.StatusCode.UNKNOWN, ended=ended)
    assert asyncio.run(is_torn(client, "torn"))
    assert asyncio.run(is_open(client, "torn")) is not ended


def test_an_error_of_storage_is_raised_and_shows_nothing_about_an_instance() -> None:
    """Any other error is raised: it does not show whether a swap runs or has ended."""
    client: Any = TornRows(grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(AioRpcError):
        asyncio.run(is_open(client, "torn"))


def test_a_whole_instance_is_open_until_it_ends() -> None:
    """A running instance is open; one that has ended, and one that does not exist, is not."""

    async def story(toy: Toy) -> None:
        await toy.run("slow_child", 1, "old")
        toy.hub.start("slow_child", 10**6, "running")
        await toy.hub.orchestrations.watch("running", lambda one: one.status == OrchestrationStatus.RUNNING.value)
        async with toy.client() as client:
            assert [await is_open(client, run) for run in ("running", "old", "nowhere")] == [True, False, False]
            assert not await is_torn(client, "running")

    with_toy(story)
