"""External events, and timers."""

import json
from typing import Any

from tests.support.engine.story_client import StoryClient


async def before_they_are_awaited(hub: StoryClient) -> Any:
    await hub.waits("a", [["event", "first"], ["event", "go"], ["event", "go"]])
    for n in (1, 2):
        await hub.call("raise_orchestration_event", hub.id("a"), "go", data=n)
    await hub.call("raise_orchestration_event", hub.id("a"), "first")
    state = await hub.ended("a")
    return [state["orchestrationStatus"], sorted(json.loads(state["output"]), key=str)]


async def in_another_case_and_of_another_name(hub: StoryClient) -> Any:
    await hub.waits("a")
    await hub.call("raise_orchestration_event", hub.id("a"), "other", data="other")
    await hub.call("raise_orchestration_event", hub.id("a"), "GO", data={"é": None})
    return await hub.ended("a")


async def doubled(hub: StoryClient) -> Any:
    """The second event is kept for the next wait."""
    await hub.waits("a", [["event", "go"], ["event", "go", 20], ["event", "go", 1]])
    for _ in range(2):
        await hub.call("raise_orchestration_event", hub.id("a"), "go", data="x")
    return await hub.ended("a")


async def without_data(hub: StoryClient) -> Any:
    await hub.waits("a", [["event", "go"], ["event", "come"]])
    await hub.call("raise_orchestration_event", hub.id("a"), "go")
    await hub.call("raise_orchestration_event", hub.id("a"), "come", data="")
    return await hub.ended("a")


async def for_nothing_that_runs(hub: StoryClient) -> Any:
    await hub.ran("ended", [["me"]])
    tries = [("none", "go"), ("ended", "go"), ("ended", "")]
    return [await hub.tried("raise_orchestration_event", hub.id(name), event, data=1) for name, event in tries]


async def from_an_orchestration(hub: StoryClient) -> Any:
    """An event to a missing instance is lost."""
    await hub.waits("b")
    sender = await hub.ran("a", [["send", hub.id("b"), "Go", {"x": 1}], ["send", hub.id("none"), "Go", 1]])
    return [sender, await hub.ended("b")]


async def over_a_continuation(hub: StoryClient) -> Any:
    """Events are kept with save_events and lost without."""
    kept = []
    for name, save in (("a", True), ("b", False)):
        await hub.waits(name, [["event", "first"], ["again", [["event", "go", 2]], save]])
        await hub.call("raise_orchestration_event", hub.id(name), "go", data="kept")
        await hub.until(name, lambda state: False, 1)
        await hub.call("raise_orchestration_event", hub.id(name), "first")
        kept.append(await hub.ended(name))
    return kept


async def timers_of_the_past(hub: StoryClient) -> Any:
    return await hub.ran("a", [["timer", -10], ["timer", 0], ["event", "go", 0.1]])


async def a_far_timer_that_is_not_waited_for(hub: StoryClient) -> Any:
    """The timer is pending when the orchestration ends."""
    await hub.waits("a", [["event", "go", 10 * 86_400], ["return", "ended"]])
    await hub.call("raise_orchestration_event", hub.id("a"), "go", data=1)
    return await hub.ended("a")


async def timers_that_fire_early(hub: StoryClient) -> Any:
    """Whether one of five timers fires early: queues delay by whole seconds, rounded down."""
    early = []
    for seconds in (1, 2, 3):
        state = await hub.ran(f"a{seconds}", [["timed", seconds]] * 5)
        early.append(min(json.loads(state["output"])) < seconds)
    return early
