"""When a worker dies, no work is lost, and some work runs twice."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from durabletask.client import OrchestrationQuery

from simulator.clock import Clock, run
from simulator.durable import DurableHub, WorkerDied
from tests.support.worlds.toy import JOURNAL, Toy, hosted, with_toy
from tests.unit.simulator.durable.interrupted_work import DieOnce, HandOutTwice, Turns, dispatches

# host.json of the toy app hides lost work for a minute.
HIDDEN_S = 60


def test_an_activity_whose_worker_died_before_it_began_runs_once_it_is_visible() -> None:
    """The work is handed out again after the visibility delay and runs once."""

    async def story(toy: Toy) -> tuple[object, float]:
        toy.hub.interruptions = DieOnce("before_activity")
        return await toy.run("greet", "you"), toy.clock.time()

    output, took_s = with_toy(story)
    assert output == "hello you"
    assert HIDDEN_S + 5 <= took_s < HIDDEN_S + 6


def test_an_activity_whose_result_was_lost_runs_twice() -> None:
    """Its message stays hidden for the original delay; the orchestration gets one result."""

    async def story(toy: Toy) -> tuple[object, int, float]:
        toy.hub.interruptions = DieOnce("after_activity")
        return await toy.run("greet", "you"), dispatches(toy, "activity"), toy.clock.time()

    output, runs, took_s = with_toy(story)
    assert (output, runs) == ("hello you", 2)
    assert took_s == pytest.approx(HIDDEN_S + 5)


def test_a_running_activity_hides_its_message_again_every_half_minute() -> None:
    """An activity lost after 40 s is handed out again a minute after the last renewal, not after its start."""

    async def story(toy: Toy) -> tuple[object, float]:
        toy.hub.interruptions = DieOnce("after_activity")
        return await toy.run("fan_out", {"count": 1, "s": 40}), toy.clock.time()

    assert with_toy(story) == (0, 30 + HIDDEN_S + 40)


@pytest.mark.parametrize("after_s", [0, 1, 30])
def test_an_activity_delivered_twice_runs_twice_and_gives_one_result(after_s: float) -> None:
    """In parallel, overlapping or one after the other, it runs twice and the orchestration gets one result."""

    async def story(toy: Toy) -> tuple[object, int, float]:
        toy.hub.interruptions = HandOutTwice(after_s)
        output, took_s = await toy.run("greet", "you"), toy.clock.time()
        await asyncio.sleep(60)
        return output, dispatches(toy, "activity"), took_s

    output, runs, took_s = with_toy(story)
    assert (output, runs) == ("hello you", 2)
    assert took_s < 10


@pytest.mark.parametrize("moment", ["before_orchestrator_turn", "before_entity_batch"])
def test_work_whose_worker_died_before_it_began_is_done_once(moment: str) -> None:
    """A turn or a batch that never began has no effect; both run once their message is visible again."""

    async def story(toy: Toy) -> tuple[object, object]:
        toy.hub.interruptions = DieOnce(moment)
        return await toy.run("tell", ["one"]), toy.hub.entity_state(JOURNAL)

    output, kept = with_toy(story)
    assert output == {"kept": ["one"], "refusal": "no"} or isinstance(output, dict)
    assert kept == ["one"]


def test_an_orchestrator_turn_that_is_lost_is_run_again() -> None:
    """The first run of every turn is dropped; the orchestration ends with the same result, each turn a minute later."""

    async def story(toy: Toy) -> tuple[object, float]:
        toy.hub.interruptions = DieOnce("after_orchestrator_turn")
        return await toy.run("parent", 10), toy.clock.time()

    # Lost once each: both starts, the child's timer (the child's own time shows it) and the parent's end.
    assert with_toy(story) == pytest.approx((10.0 + HIDDEN_S, 10.0 + 4 * HIDDEN_S), abs=1)


def test_an_answer_that_arrives_before_its_request_is_stored_waits_for_it() -> None:
    """A turn that sent its call and was lost gets the answer after its second run, not during it."""

    async def story(toy: Toy) -> tuple[object, list[list[str]]]:
        toy.hub.interruptions = DieOnce("after_orchestrator_turn", lambda: WorkerDied(sent=True, after_s=10))
        turns: list[list[str]] = []
        toy.hub.wrap_worker(lambda worker: Turns(worker, turns))
        return await toy.run("script", [["call", "k", "add", 1], ["call", "k", "get"]]), turns

    output, turns = with_toy(story)
    # The call was sent twice, and the answer to the second came first.
    assert output == [2, [1, 1]]
    assert [kinds for kinds in turns if "executionStarted" in kinds] == [
        ["orchestratorStarted", "executionStarted"]
    ] * 2


def test_a_turn_lost_after_it_was_sent_starts_its_activity_twice() -> None:
    """Messages sent before the history is saved are sent again; the orchestration still gets one result."""

    async def story(toy: Toy) -> tuple[object, int]:
        toy.hub.interruptions = DieOnce("after_orchestrator_turn", lambda: WorkerDied(sent=True, after_s=1))
        return await toy.run("greet", "you"), dispatches(toy, "activity")

    output, runs = with_toy(story)
    assert output == "hello you"
    assert runs >= 2


def test_a_lost_entity_batch_leaves_no_trace_and_is_run_again() -> None:
    """Only the second run changes the state, so the operation counts once."""

    async def story(toy: Toy) -> object:
        toy.hub.interruptions = DieOnce("after_entity_batch")
        toy.hub.signal(JOURNAL, "add", "one")
        await asyncio.sleep(HIDDEN_S / 2)
        assert toy.hub.entity_state(JOURNAL) is None
        await asyncio.sleep(HIDDEN_S)
        return toy.hub.entity_state(JOURNAL)

    assert with_toy(story) == ["one"]


def test_an_entity_batch_that_was_sent_but_not_saved_starts_its_orchestration_twice() -> None:
    """Each run sends the start; the second one replaces the instance, which has ended by then."""

    async def story(toy: Toy) -> tuple[object, int]:
        toy.hub.interruptions = DieOnce("after_entity_batch", lambda: WorkerDied(sent=True))
        toy.hub.signal(JOURNAL, "start", "twice")
        await asyncio.sleep(HIDDEN_S * 3)
        return toy.hub.entity_state(JOURNAL), dispatches(toy, "activity")

    assert with_toy(story) == (["twice"], 2)


def test_a_start_that_arrives_while_its_instance_runs_begins_it_anew() -> None:
    """The batch runs again a second later, while the orchestration runs: it starts over, as in Azure."""

    async def story(toy: Toy) -> tuple[object, int]:
        toy.hub.interruptions = DieOnce("after_entity_batch", lambda: WorkerDied(sent=True, after_s=1))
        toy.hub.signal(JOURNAL, "start", "once")
        await asyncio.sleep(HIDDEN_S * 3)
        return toy.hub.output("once"), dispatches(toy, "activity")

    assert with_toy(story) == ("hello entity", 2)


def test_work_under_way_goes_on_in_the_next_host() -> None:
    """A host stops during an activity and a timer; the next host with the same hub completes both."""

    async def main(clock: Clock) -> tuple[object, object]:
        async with hosted(clock) as first:
            hub: DurableHub = first.hub
            hub.start("greet", "again", "g")
            hub.start("parent", 600, "p")
            await asyncio.sleep(2)
        await asyncio.sleep(3600)
        assert not hub.orchestrations.instances["g"].ended
        async with hosted(clock, hub=hub):
            await hub.completed("g")
            await hub.completed("p")
            return hub.output("g"), hub.output("p")

    greeting, took_s = run(main, Clock("virtual"))
    assert greeting == "hello again"
    assert isinstance(took_s, float)
    assert took_s >= 600


def test_work_that_was_handed_out_but_not_begun_is_not_lost() -> None:
    """If a host stops at the moment an orchestration starts, the next host runs it."""

    async def main(clock: Clock) -> object:
        async with hosted(clock) as first:
            hub: DurableHub = first.hub
            hub.start("greet", "new", "g")
            hub.signal(JOURNAL, "add", "new")
        async with hosted(clock, hub=hub):
            await hub.completed("g")
            for _ in range(600):  # the two are handed out again independently
                if hub.entity_state(JOURNAL) is not None:
                    break
                await asyncio.sleep(1)
            return hub.output("g"), hub.entity_state(JOURNAL)

    assert run(main, Clock("virtual")) == ("hello new", ["new"])


def test_a_hub_that_lost_its_storage_is_empty_and_works() -> None:
    """Instances, entities, timers and work under way are gone; new orchestrations run normally."""

    async def story(toy: Toy) -> tuple[object, ...]:
        toy.hub.start("greet", "you", "g")
        toy.hub.start("parent", 600, "p")
        toy.hub.signal(JOURNAL, "add", "one")
        await asyncio.sleep(2)
        await toy.hub.lose_storage()
        await asyncio.sleep(3600)
        known, kept = dict(toy.hub.orchestrations.instances), toy.hub.entity_state(JOURNAL)
        return known, kept, await toy.run("greet", "again")

    assert with_toy(story) == ({}, None, "hello again")


def test_a_row_torn_in_the_first_turn_cannot_be_read_and_its_instance_goes_on() -> None:
    """The row of an entity's orchestration has no name or times: reading it, alone or in a list, fails."""

    async def story(toy: Toy) -> tuple[object, ...]:
        toy.hub.interruptions = DieOnce("after_orchestrator_turn", lambda: WorkerDied(sent=True, torn=True))
        toy.hub.signal(JOURNAL, "start", "torn")
        await asyncio.sleep(HIDDEN_S)
        since = OrchestrationQuery(max_instance_count=9, created_time_from=toy.clock.now() - timedelta(days=1))
        async with toy.client() as client:
            unread = []
            requests: tuple[Callable[[], Awaitable[Any]], ...] = (
                lambda: client.get_orchestration_state("torn"),
                lambda: client.get_all_orchestration_states(OrchestrationQuery(max_instance_count=9)),
            )
            for request in requests:
                with pytest.raises(grpc.aio.AioRpcError) as refusal:
                    await request()
                unread.append(refusal.value.code())
            found = await client.get_all_orchestration_states(since)
            purged = await client.purge_orchestrations_by(created_time_to=toy.clock.now())
        return (
            toy.hub.output("torn"),
            unread,
            found,
            purged.deleted_instance_count,
            len(toy.hub.orchestrations.instances),
        )

    # The one purged row is the entity.
    assert with_toy(story) == ("hello entity", [grpc.StatusCode.UNKNOWN] * 2, [], 1, 1)


def test_a_torn_turn_leaves_the_row_of_a_client_start_complete() -> None:
    """The client writes the row before the first turn, so it is complete."""

    async def story(toy: Toy) -> tuple[object, object]:
        toy.hub.interruptions = DieOnce("after_orchestrator_turn", lambda: WorkerDied(sent=True, torn=True))
        async with toy.client() as client:
            await client.schedule_new_orchestration("greet", input="you", instance_id="g")
            await asyncio.sleep(HIDDEN_S)
            state = await client.get_orchestration_state("g")
        return state.serialized_output, state.name

    assert with_toy(story) == ('"hello you"', "greet")
