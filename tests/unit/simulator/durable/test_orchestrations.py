"""Orchestrations in the durable hub, with the toy app."""

import asyncio
from datetime import UTC, datetime

import pytest
from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.actions import UnsupportedAction, interpret
from simulator.durable.records import Instance
from tests.support.worlds.toy import Toy, with_toy


def test_an_activity_that_sleeps_takes_simulated_seconds() -> None:
    """An async activity is awaited on the simulator's loop, so its five seconds pass at once on a virtual clock."""

    async def story(toy: Toy) -> tuple[str, float]:
        return await toy.run("greet", "world"), toy.clock.time()

    assert with_toy(story) == ("hello world", 5.0)


def test_a_durable_timer_and_the_orchestrators_own_time_are_simulated() -> None:
    """`current_utc_datetime` advances by the timer's duration, up to a second less, as with Azure's queues."""

    async def story(toy: Toy) -> tuple[float, float]:
        return await toy.run("slow_child", 3600), toy.clock.time()

    own, passed = with_toy(story)
    assert 3599 < own <= 3600
    assert passed == own


def test_a_parent_gets_the_result_of_a_child_that_runs_longer_than_half_a_minute() -> None:
    """A sub-orchestration of 45 simulated minutes returns its result to its parent."""
    assert with_toy(lambda toy: toy.run("parent", 45 * 60)) == pytest.approx(2700.0, abs=1)


def test_a_terminated_child_fails_for_its_parent() -> None:
    """Terminating a child ends it without its code; the parent gets a failure without details."""

    async def story(toy: Toy) -> tuple[object, int, str | None]:
        toy.hub.start("parent", 3600, "p")
        await asyncio.sleep(1)
        toy.hub.terminate("p-child", '"stopped by hand"')
        await toy.hub.completed("p")
        child = toy.hub.orchestrations.instances["p-child"]
        return toy.hub.output("p"), child.status, child.output

    assert with_toy(story) == ("child failed: ", pb.ORCHESTRATION_STATUS_TERMINATED, '"stopped by hand"')


def test_continue_as_new_keeps_the_events_that_came_on_the_way() -> None:
    """An event raised during an earlier execution reaches the one that waits for it; each history starts empty."""

    async def story(toy: Toy) -> tuple[object, str | None, int]:
        toy.hub.start("countdown", 20, "c")
        await asyncio.sleep(3.5)
        toy.hub.raise_event("c", "go", '"kept"')
        instance = await toy.hub.completed("c")
        return toy.hub.output("c"), instance.custom_status, len(instance.history.events())

    output, status, events = with_toy(story)
    assert output == "kept"
    assert status == '{"left": 0}'
    assert events < 10


@pytest.mark.parametrize(("after_s", "expected"), [(5, "yes"), (60, "late")])
def test_an_event_races_a_timer(after_s: float, expected: str) -> None:
    """The one that comes first on the simulated clock wins."""

    async def story(toy: Toy) -> object:
        toy.hub.start("race", 30, "r")
        await asyncio.sleep(after_s)
        toy.hub.raise_event("r", "answer", '"yes"')
        await toy.hub.completed("r")
        return toy.hub.output("r")

    assert with_toy(story) == expected


def test_a_failed_activity_reports_its_type_and_message() -> None:
    """An exception in an activity reaches the orchestrator as the Functions host reports it."""
    assert with_toy(lambda toy: toy.run("broken")) == {"type": "ValueError", "message": "boom"}


def test_an_orchestration_that_does_not_exist_fails_by_name() -> None:
    """The failure of an unknown orchestration names it and lists the known ones."""

    async def story(toy: Toy) -> str:
        toy.hub.start("missing", None, "n")
        return str((await toy.hub.completed("n")).output)

    assert "'missing'" in with_toy(story)
    assert "greet" in with_toy(story)


def test_an_activity_result_that_is_not_json_is_a_failure() -> None:
    """An activity that returns an object JSON cannot represent fails."""

    async def story(toy: Toy) -> str:
        toy.hub.start("smuggle", None, "s")
        return str((await toy.hub.completed("s")).failure)

    assert "json serializable" in with_toy(story)


def test_a_suspended_orchestration_waits_for_its_resumption() -> None:
    """Events that arrive while suspended are kept and delivered on resume."""

    async def story(toy: Toy) -> tuple[int, object]:
        toy.hub.start("race", 3600, "r")
        await asyncio.sleep(1)
        toy.hub.suspend("r")
        toy.hub.raise_event("r", "answer", '"kept"')
        await asyncio.sleep(1)
        status = toy.hub.orchestrations.instances["r"].status
        toy.hub.resume("r")
        await toy.hub.completed("r")
        return status, toy.hub.output("r")

    assert with_toy(story) == (pb.ORCHESTRATION_STATUS_SUSPENDED, "kept")


def test_a_running_id_is_left_alone_and_an_ended_one_is_replaced() -> None:
    """A second start of a running id has no effect; an ended id runs again with the new input."""

    async def story(toy: Toy) -> list[object]:
        toy.hub.start("greet", "first", "g")
        toy.hub.start("greet", "second", "g")
        await toy.hub.completed("g")
        outputs = [toy.hub.output("g")]
        toy.hub.start("greet", "third", "g")
        await toy.hub.completed("g")
        return [*outputs, toy.hub.output("g")]

    assert with_toy(story) == ["hello first", "hello third"]


def test_a_timer_of_an_ended_execution_does_not_reach_its_successor() -> None:
    """A timer of a terminated instance does not fire into the instance that replaced it."""

    async def story(toy: Toy) -> object:
        toy.hub.start("slow_child", 100, "t")
        await asyncio.sleep(1)
        toy.hub.terminate("t")
        await toy.hub.completed("t")
        return await toy.run("slow_child", 500, "t")

    assert with_toy(story) == pytest.approx(500.0, abs=1)


def test_an_unsupported_action_is_named() -> None:
    """An action that the hub does not support is refused, not ignored."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    instance = Instance("i", "greet", "e", now, now)
    action = pb.OrchestratorAction(id=1, terminateOrchestration=pb.TerminateOrchestrationAction(instanceId="other"))
    with pytest.raises(UnsupportedAction, match="terminateOrchestration"):
        interpret(instance, pb.OrchestratorResponse(actions=[action]), now)
