"""Payloads: kinds of values, odd characters, large values."""

from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from tests.support.engine.story_client import Play


async def of_every_kind(play: Play) -> Any:
    values = ["", 0, False, [], {}, 12345678901234567890, 0.1, 1e22, "2020-01-01T00:00:00.120+02:00", {"$type": "x"}]
    return await play.ran("a", [["activity", "echo"], *(["activity", "echo", value] for value in values)])


async def that_json_does_not_have(play: Play) -> Any:
    """An activity's infinity becomes a string, half a surrogate pair the replacement character."""
    values = [1e400, "\ud800", "\udc00x", "\U0001f600"]
    return await play.ran("a", [["activity", "echo", value] for value in values])


async def with_odd_characters(play: Play) -> Any:
    """Half a surrogate pair is unchanged in a status, an entity's state and an output."""
    key = play.id("kü")
    steps = [["status", "é\ud800"], ["call", key, "add", "\ud800"], ["call", key, "get"], ["return", "\ud800ü\x00\x1f"]]
    return [await play.ran("ü日\U0001f600", steps), await play.box("kü")]


async def of_hundred_thousand_bytes(play: Play) -> Any:
    """The engine stores them as blobs beside the tables; a client sees no difference."""
    large = "x" * 100_000
    key = play.id("k")
    steps = [
        ["activity", "echo", large],
        ["call", key, "add", large],
        ["call", key, "get"],
        ["child", "script", [["activity", "echo", large]]],
    ]
    state = await play.ran("a", steps)
    found = await play.query(instanceIdPrefix={"value": play.id("a")}, maxInstanceCount=10, fetchInputsAndOutputs=True)
    rows = [state, *found["orchestrationState"]]
    return [[row["instanceId"], len(row["input"]), len(row["output"])] for row in rows] + [len(await play.box("k"))]


async def above_the_clients_limit(play: Play) -> Any:
    """4 MiB unless host.json sets another limit. The client refuses the call, not the extension."""
    outcomes = []
    for size in (4_000_000, 4_300_000):
        steps = [["return", size], "x" * size]
        outcomes.append(
            await play.tried("schedule_new_orchestration", "script", input=steps, instance_id=play.id(f"a{size}"))
        )
    raw = pb.CreateInstanceRequest(
        instanceId=play.id("raw"), name="script", input={"value": '[["return",1],"' + "x" * 4_300_000 + '"]'}
    )
    outcomes.append(await play.raw("StartInstance", raw))
    return [*outcomes, (await play.ended("a4000000"))["output"], (await play.ended("raw"))["output"]]


async def read_above_the_clients_limit(play: Play) -> Any:
    await play.ran("a", [["activity", "much", 3_000_000], ["activity", "much", 3_000_000]])
    state = await play.call("get_orchestration_state", play.id("a"), fetch_payloads=False)
    return [state.runtime_status.name, await play.tried("get_orchestration_state", play.id("a"))]


async def of_fifty_at_once(play: Play) -> Any:
    return (await play.ran("a", [["several", 50]]))["output"]
