"""Sub-orchestrations: their ids, their failures, and ids that are in use."""

from typing import Any

from tests.support.engine.story_client import Play


async def with_and_without_an_id(play: Play) -> Any:
    return [
        await play.ran("a", [["child", "script", [["me"]], play.id("c")], ["child", "script", [["me"]]]]),
        await play.state("c"),
    ]


async def that_fail(play: Play) -> Any:
    steps = [
        ["child", "script", [["raise", "boom\ntwo"]]],
        ["child", "broken"],
        ["child", "nobody"],
        ["child", "script", "x"],
    ]
    return await play.ran("a", steps)


async def terminated(play: Play) -> Any:
    """The parent's failure has neither type nor message."""
    await play.start("a", [["child", "script", [["event", "go"]], play.id("c")]])
    await play.began("c")
    await play.call("terminate_orchestration", play.id("c"), output={"why": 1})
    return [await play.ended("c"), await play.ended("a")]


async def continued_as_new(play: Play) -> Any:
    return [await play.ran("a", [["child", "script", [["again", [["me"]]]], play.id("c")]]), await play.state("c")]


async def with_an_id_that_ended(play: Play) -> Any:
    await play.ran("c", [["return", "old"]])
    return [await play.ran("a", [["child", "script", [["me"]], play.id("c")]]), await play.state("c")]


async def with_an_id_that_runs(play: Play) -> Any:
    """The child replaces the running instance with its id, whose activity continues without effect."""
    await play.start("c", [["activity", "pause", 3], ["status", "first"], ["activity", "echo", 1]])
    await play.began("c")
    parent = await play.ran("a", [["child", "script", [["activity", "pause", 4], ["me"]], play.id("c")]])
    await play.sleep(1)
    turns = play.watched.turns[play.id("c")]
    return [
        parent,
        await play.state("c"),
        [[event.WhichOneof("eventType") for event in turn.newEvents] for turn in turns],
    ]


async def with_its_parents_id(play: Play) -> Any:
    await play.start("a", [["child", "script", [["return", "I"]], play.id("a")]])
    return await play.ended("a")


async def with_one_id_after_the_other(play: Play) -> Any:
    steps = [["child", "script", [["me"]], play.id("c")], ["child", "script", [["activity", "echo", 1]], play.id("c")]]
    return [await play.ran("a", steps), await play.state("c")]


async def of_what_an_entity_started(play: Play) -> Any:
    """The entity is its parent and does not learn of its end; its own children report to it as usual."""
    steps = [["me"], ["child", "script", [["me"]], play.id("c")], ["activity", "echo", 1]]
    await play.signal("k", "start", {"name": "script", "input": steps, "id": play.id("a")})
    return [await play.ended("a"), await play.state("c")]
