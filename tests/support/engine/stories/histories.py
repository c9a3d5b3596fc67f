"""The worker's requests (the events of each turn, the batches of entities) and the history that clients read."""

from typing import Any

from google.protobuf.json_format import MessageToDict

from tests.support.engine.story_client import Play


async def of_every_kind_of_step(play: Play) -> Any:
    """The last turn of an orchestration with one step of each kind."""
    key = play.id("k")
    steps = [["activity", "echo", 1], ["timer", 0.1], ["child", "script", [["me"]], play.id("c")]]
    steps += [
        ["signal", key, "add", 1],
        ["activity", "fail", "no"],
        ["call", key, "fail", "no"],
        ["send", play.id("n"), "x", 1],
    ]
    await play.ran("a", steps)
    turn = play.watched.turns[play.id("a")][-1]
    past, new = (MessageToDict(turn).get(events, []) for events in ("pastEvents", "newEvents"))
    child = MessageToDict(play.watched.turns[play.id("c")][0])["newEvents"]
    return [past, new, child]


async def of_a_continued_orchestration(play: Play) -> Any:
    await play.ran("a", [["status", 7], ["again", [["activity", "echo", 1], ["again", [["me"]]]]]])
    turns = play.watched.turns[play.id("a")]
    return [
        [[event.WhichOneof("eventType") for event in events] for events in (turn.pastEvents, turn.newEvents)]
        for turn in turns
    ]


async def of_an_entity(play: Play) -> Any:
    key = play.id("k")
    await play.ran("a", [["call", key, "add", 1], ["call", key, "fail", "no"], ["call", key, "get"]])
    batches = play.watched.batches[f"@box@{key}"]
    return [[one.operation for one in batch.operations] + [batch.entityState.value] for batch in batches]


async def of_thirty_activities(play: Play) -> Any:
    state = await play.ran("a", [["activity", "echo", n] for n in range(30)])
    turns = play.watched.turns[play.id("a")]
    return [state["output"], len(turns), len(turns[-1].pastEvents)]


async def of_a_termination(play: Play) -> Any:
    await play.waits("a")
    await play.call("terminate_orchestration", play.id("a"), output="x")
    await play.ended("a")
    return [type(event).__name__ for event in await play.history("a")]


async def read_by_a_client(play: Play) -> Any:
    """Of an ended, a running and a missing instance."""
    await play.ran("a", [["activity", "echo", 1], ["raise", "x"]])
    await play.waits("b", [["activity", "echo", 1], ["event", "go"]])
    await play.until("b", lambda state: False, 2)
    histories = [await play.history(name) for name in ("a", "b", "none")]
    return [
        history if isinstance(history, dict) else [type(event).__name__ for event in history] for history in histories
    ]
