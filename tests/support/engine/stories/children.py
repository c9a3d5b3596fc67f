"""Sub-orchestrations: their ids, their failures, and ids that are in use."""

from typing import Any

from tests.support.engine.story_client import StoryClient


async def with_and_without_an_id(hub: StoryClient) -> Any:
    return [
        await hub.ran("a", [["child", "script", [["me"]], hub.id("c")], ["child", "script", [["me"]]]]),
        await hub.state("c"),
    ]


async def that_fail(hub: StoryClient) -> Any:
    steps = [
        ["child", "script", [["raise", "boom\ntwo"]]],
        ["child", "broken"],
        ["child", "nobody"],
        ["child", "script", "x"],
    ]
    return await hub.ran("a", steps)


async def terminated(hub: StoryClient) -> Any:
    """The parent's failure has neither type nor message."""
    await hub.start("a", [["child", "script", [["event", "go"]], hub.id("c")]])
    await hub.began("c")
    await hub.call("terminate_orchestration", hub.id("c"), output={"why": 1})
    return [await hub.ended("c"), await hub.ended("a")]


async def continued_as_new(hub: StoryClient) -> Any:
    return [await hub.ran("a", [["child", "script", [["again", [["me"]]]], hub.id("c")]]), await hub.state("c")]


async def with_an_id_that_ended(hub: StoryClient) -> Any:
    await hub.ran("c", [["return", "old"]])
    return [await hub.ran("a", [["child", "script", [["me"]], hub.id("c")]]), await hub.state("c")]


async def with_an_id_that_runs(hub: StoryClient) -> Any:
    """The child replaces the running instance with its id, whose activity continues without effect."""
    await hub.start("c", [["activity", "pause", 3], ["status", "first"], ["activity", "echo", 1]])
    await hub.began("c")
    parent = await hub.ran("a", [["child", "script", [["activity", "pause", 4], ["me"]], hub.id("c")]])
    await hub.sleep(1)
    turns = hub.watched.turns[hub.id("c")]
    return [
        parent,
        await hub.state("c"),
        [[event.WhichOneof("eventType") for event in turn.newEvents] for turn in turns],
    ]


async def with_its_parents_id(hub: StoryClient) -> Any:
    await hub.start("a", [["child", "script", [["return", "I"]], hub.id("a")]])
    return await hub.ended("a")


async def with_one_id_after_the_other(hub: StoryClient) -> Any:
    steps = [["child", "script", [["me"]], hub.id("c")], ["child", "script", [["activity", "echo", 1]], hub.id("c")]]
    return [await hub.ran("a", steps), await hub.state("c")]


async def of_what_an_entity_started(hub: StoryClient) -> Any:
    """The entity is its parent and does not learn of its end; its own children report to it as usual."""
    steps = [["me"], ["child", "script", [["me"]], hub.id("c")], ["activity", "echo", 1]]
    await hub.signal("k", "start", {"name": "script", "input": steps, "id": hub.id("a")})
    return [await hub.ended("a"), await hub.state("c")]
