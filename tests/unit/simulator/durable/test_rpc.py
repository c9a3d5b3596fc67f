"""The hub's gRPC server, called by the app's durable client."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from durabletask.client import EntityQuery, OrchestrationQuery, OrchestrationStatus
from durabletask.entities import EntityInstanceId

from simulator.clock import Clock, run
from simulator.durable import DurableHub
from simulator.functions.host_json import HostJson
from tests.support.worlds.toy import Toy, with_toy

JOURNAL = EntityInstanceId("journal", "app")


def test_a_client_starts_an_orchestration_and_reads_its_output() -> None:
    """Start, wait and read with the client that the app uses in Azure."""

    async def story(toy: Toy) -> tuple[object, object, object]:
        async with toy.client() as client:
            await client.schedule_new_orchestration("greet", input="you", instance_id="g")
            state = await client.wait_for_orchestration_completion("g", timeout=60)
            return state.serialized_output, state.serialized_input, state.runtime_status

    assert with_toy(story) == ('"hello you"', '"you"', OrchestrationStatus.COMPLETED)


def test_the_dates_a_client_sees_are_simulated() -> None:
    """Created and last updated are dates of the simulator's clock."""

    async def story(toy: Toy) -> None:
        await asyncio.sleep(86_400)
        toy.hub.start("slow_child", 600, "s")
        await toy.hub.completed("s")
        async with toy.client() as client:
            state = await client.get_orchestration_state("s")
        created, updated = state.created_at.timestamp(), state.last_updated_at.timestamp()
        assert updated == pytest.approx(toy.clock.now().timestamp(), abs=1)
        assert updated - created == pytest.approx(600, abs=1)

    with_toy(story)


def test_a_start_of_a_running_id_is_refused() -> None:
    """The client gets ALREADY_EXISTS while the id runs; once it ended, the id can be used again."""

    async def story(toy: Toy) -> grpc.StatusCode:
        async with toy.client() as client:
            await client.schedule_new_orchestration("slow_child", input=100, instance_id="s")
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await client.schedule_new_orchestration("slow_child", input=1, instance_id="s")
        await toy.hub.completed("s")
        async with toy.client() as client:
            await client.schedule_new_orchestration("slow_child", input=1, instance_id="s")
        return refusal.value.code()

    assert with_toy(story) == grpc.StatusCode.ALREADY_EXISTS


def test_all_instances_are_found_by_prefix_status_and_age_over_pages() -> None:
    """Queries filter and page in the order of ids; inputs are returned only on request, outputs always."""

    async def story(toy: Toy) -> None:
        for n in range(25):
            toy.hub.start("slow_child", 1, f"a-{n:02}")
            await asyncio.sleep(1)
        toy.hub.start("slow_child", 9999, "b-running")
        await asyncio.sleep(5)
        async with toy.client() as client:
            query = OrchestrationQuery(instance_id_prefix="a-", max_instance_count=10, fetch_inputs_and_outputs=True)
            named = await client.get_all_orchestration_states(query)
            running = await client.get_all_orchestration_states(
                OrchestrationQuery(runtime_status=[OrchestrationStatus.RUNNING], max_instance_count=1000)
            )
            recent = await client.get_all_orchestration_states(
                OrchestrationQuery(created_time_from=toy.clock.now() - timedelta(seconds=15), max_instance_count=1000)
            )
        assert [state.instance_id for state in named] == [f"a-{n:02}" for n in range(25)]
        assert 0 < json.loads(named[0].serialized_output) <= 1.0
        assert [state.instance_id for state in running] == ["b-running"]
        assert running[0].serialized_input is None
        assert 9 <= len(recent) <= 11

    with_toy(story)


@pytest.mark.parametrize(
    ("statuses", "purged", "left"),
    [
        ([OrchestrationStatus.COMPLETED], 3, ["new", "old-running"]),
        ([OrchestrationStatus.RUNNING], 4, ["new"]),
        (None, 4, ["new"]),
    ],
)
def test_ended_instances_are_purged_by_age_and_running_ones_only_if_none_are_named(
    statuses: list[OrchestrationStatus] | None, purged: int, left: list[str]
) -> None:
    """Only final statuses of a filter count; a filter without one purges running instances too."""

    async def story(toy: Toy) -> tuple[int, list[str]]:
        for n in range(3):
            toy.hub.start("slow_child", 1, f"old-{n}")
        toy.hub.start("slow_child", 10**6, "old-running")
        await asyncio.sleep(86_400)
        toy.hub.start("slow_child", 1, "new")
        await toy.hub.completed("new")
        async with toy.client() as client:
            before = toy.clock.now() - timedelta(hours=1)
            result = await client.purge_orchestrations_by(created_time_to=before, runtime_status=statuses)
            states = await client.get_all_orchestration_states(OrchestrationQuery(max_instance_count=1000))
        return result.deleted_instance_count, [state.instance_id for state in states]

    assert with_toy(story) == (purged, left)


def test_a_page_over_a_thousand_is_refused_as_azure_tables_refuses_it() -> None:
    """The client's default of 2^31-1 gets the host's error for a 400; a page of a thousand is returned."""

    async def story(toy: Toy) -> None:
        await toy.run("slow_child", 1, "a")
        async with toy.client() as client:
            queries = [OrchestrationQuery(), OrchestrationQuery(max_instance_count=1001), EntityQuery(page_size=1001)]
            for query in queries:
                method = (
                    client.get_all_entities if isinstance(query, EntityQuery) else client.get_all_orchestration_states
                )
                with pytest.raises(grpc.aio.AioRpcError) as refusal:
                    await method(query)
                assert refusal.value.code() is grpc.StatusCode.UNKNOWN
                assert refusal.value.details() == "Exception was thrown by handler."
            given = await client.get_all_orchestration_states(OrchestrationQuery(max_instance_count=1000))
            assert [(state.instance_id, state.serialized_input) for state in given] == [("a", None)]
            assert given[0].serialized_output
            assert await client.get_all_orchestration_states(OrchestrationQuery(max_instance_count=0)) == []

    with_toy(story)


def test_entities_are_signalled_and_read() -> None:
    """Reading an unknown entity returns None, a known one its state; a query finds only the known one."""

    async def story(toy: Toy) -> tuple[object, object, int]:
        async with toy.client() as client:
            before = await client.get_entity(JOURNAL)
            await client.signal_entity(JOURNAL, "add", input="x")
            await asyncio.sleep(1)
            after = await client.get_entity(JOURNAL)
            every = await client.get_all_entities(EntityQuery(instance_id_starts_with="@journal"))
        return before, after.get_typed_state(list), len(every)

    assert with_toy(story) == (None, ["x"], 1)


def test_more_clients_wait_at_once_than_a_pool_of_threads_would_serve() -> None:
    """Fifty clients wait for one orchestration and are all answered."""

    async def story(toy: Toy) -> list[object]:
        toy.hub.start("slow_child", 30, "s")
        async with toy.client() as client:
            waits = (client.wait_for_orchestration_completion("s", timeout=120) for _ in range(50))
            return [state.serialized_output for state in await asyncio.gather(*waits)]

    answers = with_toy(story)
    assert len(answers) == 50
    assert len(set(answers)) == 1


def test_a_wait_that_is_too_long_ends_in_simulated_time() -> None:
    """The client's timeout counts simulated seconds at the hub, so it comes at once on a virtual clock."""

    async def story(toy: Toy) -> float:
        toy.hub.start("slow_child", 3600, "s")
        async with toy.client() as client:
            with pytest.raises(TimeoutError):
                await client.wait_for_orchestration_completion("s", timeout=60)
        return toy.clock.time()

    assert with_toy(story) == pytest.approx(60, abs=1)


@pytest.mark.parametrize(("size", "passes"), [(2_000_000, True), (4_400_000, False)])
def test_a_message_above_the_extensions_limit_is_refused(size: int, passes: bool) -> None:
    """Without a limit in host.json the largest message is 4 MiB, the default of the extension and of gRPC."""

    async def story(toy: Toy) -> int:
        async with toy.client() as client:
            await client.schedule_new_orchestration("greet", input="x" * size, instance_id="big")
            state = await client.wait_for_orchestration_completion("big", timeout=60)
            return len(state.serialized_output)

    if passes:
        assert with_toy(story) > size
    else:
        with pytest.raises(grpc.aio.AioRpcError, match="RESOURCE_EXHAUSTED"):
            with_toy(story)


def test_host_json_sets_the_largest_message(tmp_path: Path) -> None:
    """Server and client use `maxGrpcMessageSizeInBytes` of host.json."""
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"durableTask": {"maxGrpcMessageSizeInBytes": 99}}}))
    assert HostJson.read(tmp_path).max_message_bytes == 99
    assert HostJson.read(tmp_path / "none").max_message_bytes == 4 * 1024**2


def test_a_client_terminates_raises_and_restarts() -> None:
    """The other calls of a client reach the hub; an unknown id is NOT_FOUND."""

    async def story(toy: Toy) -> tuple[object, object]:
        async with toy.client() as client:
            await client.schedule_new_orchestration("race", input=3600, instance_id="r")
            await client.raise_orchestration_event("r", "answer", data="yes")
            first = await client.wait_for_orchestration_completion("r", timeout=60)
            await client.restart_orchestration("r")
            await client.terminate_orchestration("r", output="enough")
            second = await client.wait_for_orchestration_completion("r", timeout=60)
            with pytest.raises(grpc.aio.AioRpcError):
                await client.raise_orchestration_event("missing", "answer")
            assert len(await client.get_orchestration_history("r")) > 2
        return first.serialized_output, second.runtime_status

    assert with_toy(story) == ('"yes"', OrchestrationStatus.TERMINATED)


def test_a_call_under_way_holds_the_clock_until_its_answer_is_here() -> None:
    """A call runs in gRPC's threads; meanwhile an otherwise idle loop does not jump to the next timer."""

    async def story(toy: Toy) -> tuple[bool, bool, float]:
        await asyncio.sleep(5)
        async with toy.client() as client:
            call = asyncio.ensure_future(client.get_entity(JOURNAL))
            held = False
            for _ in range(100):
                await asyncio.sleep(0)
                held |= toy.clock.held
            await asyncio.wait([call, asyncio.ensure_future(asyncio.sleep(0.001))], return_when="FIRST_COMPLETED")
            return held, toy.clock.held, toy.clock.time()

    assert with_toy(story) == (True, False, 5)


def test_an_instance_started_without_an_id_has_the_same_one_every_time() -> None:
    """With a seed an id depends on the name and the number of its starts, not on other starts."""

    async def main(clock: Clock) -> list[list[str]]:
        first, again, other = DurableHub(clock, seed=1), DurableHub(clock, seed=1), DurableHub(clock, seed=2)
        again.start("other")
        return [[hub.start("greet"), hub.start("greet")] for hub in (first, again, other)]

    first, again, other = run(main, Clock("virtual"))
    assert first == again
    assert len({*first, *other}) == 4
