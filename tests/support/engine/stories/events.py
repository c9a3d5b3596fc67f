"""External events, and timers."""

import json
from typing import Any

from tests.support.engine.story_client import Play


async def before_they_are_awaited(play: Play) -> Any:
    await play.waits("a", [["event", "first"], ["event", "go"], ["event", "go"]])
    for n in (1, 2):
        await play.call("raise_orchestration_event", play.id("a"), "go", data=n)
    await play.call("raise_orchestration_event", play.id("a"), "first")
    state = await play.ended("a")
    return [state["orchestrationStatus"], sorted(json.loads(state["output"]), key=str)]


async def in_another_case_and_of_another_name(play: Play) -> Any:
    await play.waits("a")
    await play.call("raise_orchestration_event", play.id("a"), "other", data="other")
    await play.call("raise_orchestration_event", play.id("a"), "GO", data={"é": None})
    return await play.ended("a")


async def doubled(play: Play) -> Any:
    """The second event is kept for the next wait."""
    await play.waits("a", [["event", "go"], ["event", "go", 20], ["event", "go", 1]])
    for _ in range(2):
        await play.call("raise_orchestration_event", play.id("a"), "go", data="x")
    return await play.ended("a")


async def without_data(play: Play) -> Any:
    await play.waits("a", [["event", "go"], ["event", "come"]])
    await play.call("raise_orchestration_event", play.id("a"), "go")
    await play.call("raise_orchestration_event", play.id("a"), "come", data="")
    return await play.ended("a")


async def for_nothing_that_runs(play: Play) -> Any:
    await play.ran("ended", [["me"]])
    tries = [("none", "go"), ("ended", "go"), ("ended", "")]
    return [await play.tried("raise_orchestration_event", play.id(name), event, data=1) for name, event in tries]


async def from_an_orchestration(play: Play) -> Any:
    """An event to a missing instance is lost."""
    await play.waits("b")
    sender = await play.ran("a", [["send", play.id("b"), "Go", {"x": 1}], ["send", play.id("none"), "Go", 1]])
    return [sender, await play.ended("b")]


async def over_a_continuation(play: Play) -> Any:
    """Events are kept with save_events and lost without."""
    kept = []
    for name, save in (("a", True), ("b", False)):
        await play.waits(name, [["event", "first"], ["again", [["event", "go", 2]], save]])
        await play.call("raise_orchestration_event", play.id(name), "go", data="kept")
        await play.until(name, lambda state: False, 1)
        await play.call("raise_orchestration_event", play.id(name), "first")
        kept.append(await play.ended(name))
    return kept


async def timers_of_the_past(play: Play) -> Any:
    return await play.ran("a", [["timer", -10], ["timer", 0], ["event", "go", 0.1]])


async def a_far_timer_that_is_not_waited_for(play: Play) -> Any:
    """The timer is pending when the orchestration ends."""
    await play.waits("a", [["event", "go", 10 * 86_400], ["return", "ended"]])
    await play.call("raise_orchestration_event", play.id("a"), "go", data=1)
    return await play.ended("a")


async def timers_that_fire_early(play: Play) -> Any:
    """Whether one of five timers fires early: queues delay by whole seconds, rounded down."""
    early = []
    for seconds in (1, 2, 3):
        state = await play.ran(f"a{seconds}", [["timed", seconds]] * 5)
        early.append(min(json.loads(state["output"])) < seconds)
    return early
