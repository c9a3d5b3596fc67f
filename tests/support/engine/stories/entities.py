"""Entities: operations and their failures, batches, locks, starts and signals, and how clients read them."""

from functools import partial
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.internal import orchestrator_service_pb2 as pb

from tests.support.engine.story_client import StoryClient


async def called(hub: StoryClient) -> Any:
    key = hub.id("k")
    calls: list[list[Any]] = [
        ["add", 1],
        ["get"],
        ["fail", "no"],
        ["fail", "one\ntwo"],
        ["nosuch"],
        ["ADD", 1],
        ["delete"],
        ["get"],
    ]
    return [await hub.ran("a", [["call", key, *call] for call in calls]), await hub.box("k")]


async def called_by_the_name_of_none(hub: StoryClient) -> Any:
    """The answer is not JSON, so the whole orchestration fails, in the SDK."""
    state = await hub.ran("a", [["call", hub.id("k"), "add", 1, "nobody"]])
    turns = hub.watched.turns[hub.id("a")]
    return [state, [event.eventRaised.input.value for event in turns[-1].newEvents if event.HasField("eventRaised")]]


async def signalled_by_the_name_of_none(hub: StoryClient) -> Any:
    signalled = await hub.tried("signal_entity", EntityInstanceId("nobody", hub.id("k")), "add", input=1)
    return [signalled, await hub.raw("GetEntity", pb.GetEntityRequest(instanceId=f"@nobody@{hub.id('k')}"))]


async def in_batches(hub: StoryClient) -> Any:
    """Messages to a busy entity form its next batch; a failed operation reverts only its own state and signals."""
    await hub.busy("k")
    key = hub.id("k")
    steps = [["signal", key, "add", 1], ["signal", key, "add_and_fail", 2], ["signal", key, "add", 3]]
    await hub.ran("a", steps)
    await hub.free("k")
    kept = await hub.until_box("k", lambda state: state.count(",") == 1)
    await hub.sleep(1)
    later = [sorted(batch) for batch in hub.batches("k")[1:]]
    return ["".join(sorted(kept)), later, await hub.box("k-other")]


async def with_a_call_in_a_batch(hub: StoryClient) -> Any:
    """Every caller gets its own answer."""
    await hub.busy("k")
    for name, call in (("a", ["add", 1]), ("b", ["fail", "no"]), ("c", ["add_and_fail", 2])):
        await hub.waits(name, [["call", hub.id("k"), *call]])
    await hub.free("k")
    return [await hub.ended(name) for name in "abc"] + [await hub.box("k")]


async def at_most_three_in_a_batch(hub: StoryClient) -> Any:
    await hub.busy("k")
    await hub.ran("a", [["signal", hub.id("k"), "add", n] for n in range(7)])
    await hub.free("k")
    kept = await hub.until_box("k", lambda state: state.count(",") == 6)
    return ["".join(sorted(kept)), max(len(batch) for batch in hub.batches("k"))]


async def signalled_by_clients_in_order(hub: StoryClient) -> Any:
    for n in range(5):
        await hub.signal("k", "add", n)
    return await hub.until_box("k", lambda state: state.count(",") == 4)


async def signalled_twice_by_one_request(hub: StoryClient) -> Any:
    """Both run; an id that is not a GUID is refused."""
    request = pb.SignalEntityRequest(instanceId=f"@box@{hub.id('k')}", name="add", input={"value": "1"})
    request.requestId = "22222222-1111-4111-8111-111111111111"
    outcomes = [await hub.raw("SignalEntity", request) for _ in range(2)]
    request.requestId = "no guid"
    outcomes.append(await hub.raw("SignalEntity", request))
    return [outcomes, await hub.until_box("k", lambda state: state.count(",") == 1)]


async def signalled_for_later(hub: StoryClient) -> Any:
    await hub.signal("k", "add", "late", delay_s=4)
    await hub.signal("k", "add", "now")
    await hub.signal("k", "add", "past", delay_s=-30)
    first = await hub.until_box("k", lambda state: state.count(",") == 1)
    return ["".join(sorted(first)), "late" in await hub.until_box("k", lambda state: "late" in state)]


async def that_signal_another(hub: StoryClient) -> Any:
    await hub.signal("k", "signal", {"key": hub.id("l"), "operation": "add", "input": 7})
    return await hub.until_box("l", bool)


async def that_start_orchestrations(hub: StoryClient) -> Any:
    """With a new id, with the id of an ended instance, and with an unknown name."""
    await hub.ran("ended", [["status", 1], ["return", "old"]])
    for name in ("new", "ended"):
        await hub.signal("k", "start", {"name": "script", "input": [["me"]], "id": hub.id(name)})
    await hub.signal("k", "start", {"name": "nobody", "input": 1, "id": hub.id("unknown")})
    return [await hub.until(name, lambda state: '"id"' in state.get("output", "")) for name in ("new", "ended")] + [
        await hub.ended("unknown")
    ]


async def that_start_an_id_that_runs(hub: StoryClient) -> Any:
    """The new instance replaces the running one."""
    await hub.waits("runs")
    await hub.signal("k", "start", {"name": "script", "input": [["return", "new"]], "id": hub.id("runs")})
    return await hub.ended("runs")


async def that_start_the_same_twice(hub: StoryClient) -> Any:
    """As a batch that runs again does: the second start replaces the first."""
    for n in (1, 2):
        steps = [["activity", "pause", 3], ["return", n]]
        await hub.signal("k", "start", {"name": "script", "input": steps, "id": hub.id("c")})
        await hub.until("c", partial(_returns, n))
    turns = hub.watched.turns[hub.id("c")]
    state = await hub.ended("c")
    return [state, [[event.WhichOneof("eventType") for event in turn.newEvents] for turn in turns]]


def _returns(n: int, state: dict[str, Any]) -> bool:
    return f'["return", {n}]' in state.get("input", "")


async def locked(hub: StoryClient) -> Any:
    """Messages of others wait for the release; calls of the lock's owner do not."""
    await hub.start("a", [["hold", [hub.id("k"), hub.id("l")], "go"]])
    await hub.began("a")
    await hub.sleep(2)
    await hub.signal("k", "add", "signal")
    await hub.sleep(2)
    before = await hub.box("k")
    seen = await hub.raw("GetEntity", pb.GetEntityRequest(instanceId=f"@box@{hub.id('k')}"))
    await hub.call("raise_orchestration_event", hub.id("a"), "go")
    ended = await hub.ended("a")
    return [before, seen, ended, await hub.until_box("k", lambda state: "signal" in state)]


async def seen_by_clients(hub: StoryClient) -> Any:
    """An entity with a state, one whose state was deleted, a missing one; ids in another case, and an invalid id."""
    await hub.ran(
        "a",
        [["call", hub.id("k"), "add", 1], ["call", hub.id("gone"), "add", 1], ["call", hub.id("gone"), "delete"]],
    )
    ids = [*(f"@box@{hub.id(key)}" for key in ("k", "gone", "none")), f"@BOX@{hub.id('k')}", "nonsense"]
    seen = [await hub.raw("GetEntity", pb.GetEntityRequest(instanceId=one, includeState=True)) for one in ids]
    seen.append(await hub.raw("GetEntity", pb.GetEntityRequest(instanceId=ids[0])))
    for prefix in (f"@box@{hub.name}", f"box@{hub.name}", f"@BOX@{hub.name}"):
        for transient in (False, True):
            query = pb.EntityQuery(
                instanceIdStartsWith={"value": prefix}, includeState=True, includeTransient=transient
            )
            seen.append(await hub.raw("QueryEntities", pb.QueryEntitiesRequest(query=query)))
    return seen


async def seen_as_instances(hub: StoryClient) -> Any:
    """An entity is an orchestration that never ends."""
    await hub.ran(
        "a",
        [["call", hub.id("k"), "add", 1], ["call", hub.id("gone"), "add", 1], ["call", hub.id("gone"), "delete"]],
    )
    entity = f"@box@{hub.id('k')}"
    seen = [
        await hub.raw("GetInstance", pb.GetInstanceRequest(instanceId=entity, getInputsAndOutputs=payloads))
        for payloads in (True, False)
    ]
    seen.append(
        await hub.raw(
            "GetInstance", pb.GetInstanceRequest(instanceId=f"@box@{hub.id('gone')}", getInputsAndOutputs=True)
        )
    )
    tries = [
        await hub.tried("raise_orchestration_event", entity, "x", data=1),
        await hub.tried("schedule_new_orchestration", "script", instance_id=entity),
        await hub.tried("restart_orchestration", entity),
    ]
    await hub.signal("k", "add", 2)
    return [seen, tries, await hub.until_box("k", lambda state: "2" in state)]


async def purged(hub: StoryClient) -> Any:
    await hub.ran("a", [["call", hub.id("k"), "add", 1]])
    purged = await hub.raw("PurgeInstances", pb.PurgeInstancesRequest(instanceId=f"@box@{hub.id('k')}"))
    gone = await hub.box("k")
    await hub.signal("k", "add", 2)
    return [purged, gone, await hub.until_box("k", bool)]
