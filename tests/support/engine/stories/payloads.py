"""Payloads: kinds of values, odd characters, large values."""

from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from tests.support.engine.story_client import StoryClient


async def of_every_kind(hub: StoryClient) -> Any:
    values = ["", 0, False, [], {}, 12345678901234567890, 0.1, 1e22, "2020-01-01T00:00:00.120+02:00", {"$type": "x"}]
    return await hub.ran("a", [["activity", "echo"], *(["activity", "echo", value] for value in values)])


async def that_json_does_not_have(hub: StoryClient) -> Any:
    """An activity's infinity becomes a string, half a surrogate pair the replacement character."""
    values = [1e400, "\ud800", "\udc00x", "\U0001f600"]
    return await hub.ran("a", [["activity", "echo", value] for value in values])


async def with_odd_characters(hub: StoryClient) -> Any:
    """Half a surrogate pair is unchanged in a status, an entity's state and an output."""
    key = hub.id("kü")
    steps = [["status", "é\ud800"], ["call", key, "add", "\ud800"], ["call", key, "get"], ["return", "\ud800ü\x00\x1f"]]
    return [await hub.ran("ü日\U0001f600", steps), await hub.box("kü")]


async def of_hundred_thousand_bytes(hub: StoryClient) -> Any:
    """The engine stores them as blobs beside the tables; a client sees no difference."""
    large = "x" * 100_000
    key = hub.id("k")
    steps = [
        ["activity", "echo", large],
        ["call", key, "add", large],
        ["call", key, "get"],
        ["child", "script", [["activity", "echo", large]]],
    ]
    state = await hub.ran("a", steps)
    found = await hub.query(instanceIdPrefix={"value": hub.id("a")}, maxInstanceCount=10, fetchInputsAndOutputs=True)
    rows = [state, *found["orchestrationState"]]
    return [[row["instanceId"], len(row["input"]), len(row["output"])] for row in rows] + [len(await hub.box("k"))]


async def above_the_clients_limit(hub: StoryClient) -> Any:
    """4 MiB unless host.json sets another limit. The client refuses the call, not the extension."""
    outcomes = []
    for size in (4_000_000, 4_300_000):
        steps = [["return", size], "x" * size]
        outcomes.append(
            await hub.tried("schedule_new_orchestration", "script", input=steps, instance_id=hub.id(f"a{size}"))
        )
    raw = pb.CreateInstanceRequest(
        instanceId=hub.id("raw"), name="script", input={"value": '[["return",1],"' + "x" * 4_300_000 + '"]'}
    )
    outcomes.append(await hub.raw("StartInstance", raw))
    return [*outcomes, (await hub.ended("a4000000"))["output"], (await hub.ended("raw"))["output"]]


async def read_above_the_clients_limit(hub: StoryClient) -> Any:
    await hub.ran("a", [["activity", "much", 3_000_000], ["activity", "much", 3_000_000]])
    state = await hub.call("get_orchestration_state", hub.id("a"), fetch_payloads=False)
    return [state.runtime_status.name, await hub.tried("get_orchestration_state", hub.id("a"))]


async def of_fifty_at_once(hub: StoryClient) -> Any:
    return (await hub.ran("a", [["several", 50]]))["output"]
