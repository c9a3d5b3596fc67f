"""The worker's requests (the events of each turn, the batches of entities) and the history that clients read."""

from typing import Any

from google.protobuf.json_format import MessageToDict

from tests.support.engine.story_client import StoryClient


async def of_every_kind_of_step(hub: StoryClient) -> Any:
    """The last turn of an orchestration with one step of each kind."""
    key = hub.id("k")
    steps = [["activity", "echo", 1], ["timer", 0.1], ["child", "script", [["me"]], hub.id("c")]]
    steps += [
        ["signal", key, "add", 1],
        ["activity", "fail", "no"],
        ["call", key, "fail", "no"],
        ["send", hub.id("n"), "x", 1],
    ]
    await hub.ran("a", steps)
    turn = hub.watched.turns[hub.id("a")][-1]
    past, new = (MessageToDict(turn).get(events, []) for events in ("pastEvents", "newEvents"))
    child = MessageToDict(hub.watched.turns[hub.id("c")][0])["newEvents"]
    return [past, new, child]


async def of_a_continued_orchestration(hub: StoryClient) -> Any:
    await hub.ran("a", [["status", 7], ["again", [["activity", "echo", 1], ["again", [["me"]]]]]])
    turns = hub.watched.turns[hub.id("a")]
    return [
        [[event.WhichOneof("eventType") for event in events] for events in (turn.pastEvents, turn.newEvents)]
        for turn in turns
    ]


async def of_an_entity(hub: StoryClient) -> Any:
    key = hub.id("k")
    await hub.ran("a", [["call", key, "add", 1], ["call", key, "fail", "no"], ["call", key, "get"]])
    batches = hub.watched.batches[f"@box@{key}"]
    return [[one.operation for one in batch.operations] + [batch.entityState.value] for batch in batches]


async def of_thirty_activities(hub: StoryClient) -> Any:
    state = await hub.ran("a", [["activity", "echo", n] for n in range(30)])
    turns = hub.watched.turns[hub.id("a")]
    return [state["output"], len(turns), len(turns[-1].pastEvents)]


async def of_a_termination(hub: StoryClient) -> Any:
    await hub.waits("a")
    await hub.call("terminate_orchestration", hub.id("a"), output="x")
    await hub.ended("a")
    return [type(event).__name__ for event in await hub.history("a")]


async def read_by_a_client(hub: StoryClient) -> Any:
    """Of an ended, a running and a missing instance."""
    await hub.ran("a", [["activity", "echo", 1], ["raise", "x"]])
    await hub.waits("b", [["activity", "echo", 1], ["event", "go"]])
    await hub.until("b", lambda state: False, 2)
    histories = [await hub.history(name) for name in ("a", "b", "none")]
    return [
        history if isinstance(history, dict) else [type(event).__name__ for event in history] for history in histories
    ]
