"""Entities: operations and their failures, batches, locks, starts and signals, and how clients read them."""

from functools import partial
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.internal import orchestrator_service_pb2 as pb

from tests.support.engine.story_client import Play


async def called(play: Play) -> Any:
    key = play.id("k")
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
    return [await play.ran("a", [["call", key, *call] for call in calls]), await play.box("k")]


async def called_by_the_name_of_none(play: Play) -> Any:
    """The answer is not JSON, so the whole orchestration fails, in the SDK."""
    state = await play.ran("a", [["call", play.id("k"), "add", 1, "nobody"]])
    turns = play.watched.turns[play.id("a")]
    return [state, [event.eventRaised.input.value for event in turns[-1].newEvents if event.HasField("eventRaised")]]


async def signalled_by_the_name_of_none(play: Play) -> Any:
    signalled = await play.tried("signal_entity", EntityInstanceId("nobody", play.id("k")), "add", input=1)
    return [signalled, await play.raw("GetEntity", pb.GetEntityRequest(instanceId=f"@nobody@{play.id('k')}"))]


async def in_batches(play: Play) -> Any:
    """Messages to a busy entity form its next batch; a failed operation reverts only its own state and signals."""
    await play.busy("k")
    key = play.id("k")
    steps = [["signal", key, "add", 1], ["signal", key, "add_and_fail", 2], ["signal", key, "add", 3]]
    await play.ran("a", steps)
    await play.free("k")
    kept = await play.until_box("k", lambda state: state.count(",") == 1)
    await play.sleep(1)
    later = [sorted(batch) for batch in play.batches("k")[1:]]
    return ["".join(sorted(kept)), later, await play.box("k-other")]


async def with_a_call_in_a_batch(play: Play) -> Any:
    """Every caller gets its own answer."""
    await play.busy("k")
    for name, call in (("a", ["add", 1]), ("b", ["fail", "no"]), ("c", ["add_and_fail", 2])):
        await play.waits(name, [["call", play.id("k"), *call]])
    await play.free("k")
    return [await play.ended(name) for name in "abc"] + [await play.box("k")]


async def at_most_three_in_a_batch(play: Play) -> Any:
    await play.busy("k")
    await play.ran("a", [["signal", play.id("k"), "add", n] for n in range(7)])
    await play.free("k")
    kept = await play.until_box("k", lambda state: state.count(",") == 6)
    return ["".join(sorted(kept)), max(len(batch) for batch in play.batches("k"))]


async def signalled_by_clients_in_order(play: Play) -> Any:
    for n in range(5):
        await play.signal("k", "add", n)
    return await play.until_box("k", lambda state: state.count(",") == 4)


async def signalled_twice_by_one_request(play: Play) -> Any:
    """Both run; an id that is not a GUID is refused."""
    request = pb.SignalEntityRequest(instanceId=f"@box@{play.id('k')}", name="add", input={"value": "1"})
    request.requestId = "22222222-1111-4111-8111-111111111111"
    outcomes = [await play.raw("SignalEntity", request) for _ in range(2)]
    request.requestId = "no guid"
    outcomes.append(await play.raw("SignalEntity", request))
    return [outcomes, await play.until_box("k", lambda state: state.count(",") == 1)]


async def signalled_for_later(play: Play) -> Any:
    await play.signal("k", "add", "late", delay_s=4)
    await play.signal("k", "add", "now")
    await play.signal("k", "add", "past", delay_s=-30)
    first = await play.until_box("k", lambda state: state.count(",") == 1)
    return ["".join(sorted(first)), "late" in await play.until_box("k", lambda state: "late" in state)]


async def that_signal_another(play: Play) -> Any:
    await play.signal("k", "signal", {"key": play.id("l"), "operation": "add", "input": 7})
    return await play.until_box("l", bool)


async def that_start_orchestrations(play: Play) -> Any:
    """With a new id, with the id of an ended instance, and with an unknown name."""
    await play.ran("ended", [["status", 1], ["return", "old"]])
    for name in ("new", "ended"):
        await play.signal("k", "start", {"name": "script", "input": [["me"]], "id": play.id(name)})
    await play.signal("k", "start", {"name": "nobody", "input": 1, "id": play.id("unknown")})
    return [await play.until(name, lambda state: '"id"' in state.get("output", "")) for name in ("new", "ended")] + [
        await play.ended("unknown")
    ]


async def that_start_an_id_that_runs(play: Play) -> Any:
    """The new instance replaces the running one."""
    await play.waits("runs")
    await play.signal("k", "start", {"name": "script", "input": [["return", "new"]], "id": play.id("runs")})
    return await play.ended("runs")


async def that_start_the_same_twice(play: Play) -> Any:
    """As a batch that runs again does: the second start replaces the first."""
    for n in (1, 2):
        steps = [["activity", "pause", 3], ["return", n]]
        await play.signal("k", "start", {"name": "script", "input": steps, "id": play.id("c")})
        await play.until("c", partial(_returns, n))
    turns = play.watched.turns[play.id("c")]
    state = await play.ended("c")
    return [state, [[event.WhichOneof("eventType") for event in turn.newEvents] for turn in turns]]


def _returns(n: int, state: dict[str, Any]) -> bool:
    return f'["return", {n}]' in state.get("input", "")


async def locked(play: Play) -> Any:
    """Messages of others wait for the release; calls of the lock's owner do not."""
    await play.start("a", [["hold", [play.id("k"), play.id("l")], "go"]])
    await play.began("a")
    await play.sleep(2)
    await play.signal("k", "add", "signal")
    await play.sleep(2)
    before = await play.box("k")
    seen = await play.raw("GetEntity", pb.GetEntityRequest(instanceId=f"@box@{play.id('k')}"))
    await play.call("raise_orchestration_event", play.id("a"), "go")
    ended = await play.ended("a")
    return [before, seen, ended, await play.until_box("k", lambda state: "signal" in state)]


async def seen_by_clients(play: Play) -> Any:
    """An entity with a state, one whose state was deleted, a missing one; ids in another case, and an invalid id."""
    await play.ran(
        "a",
        [["call", play.id("k"), "add", 1], ["call", play.id("gone"), "add", 1], ["call", play.id("gone"), "delete"]],
    )
    ids = [*(f"@box@{play.id(key)}" for key in ("k", "gone", "none")), f"@BOX@{play.id('k')}", "nonsense"]
    seen = [await play.raw("GetEntity", pb.GetEntityRequest(instanceId=one, includeState=True)) for one in ids]
    seen.append(await play.raw("GetEntity", pb.GetEntityRequest(instanceId=ids[0])))
    for prefix in (f"@box@{play.name}", f"box@{play.name}", f"@BOX@{play.name}"):
        for transient in (False, True):
            query = pb.EntityQuery(
                instanceIdStartsWith={"value": prefix}, includeState=True, includeTransient=transient
            )
            seen.append(await play.raw("QueryEntities", pb.QueryEntitiesRequest(query=query)))
    return seen


async def seen_as_instances(play: Play) -> Any:
    """An entity is an orchestration that never ends."""
    await play.ran(
        "a",
        [["call", play.id("k"), "add", 1], ["call", play.id("gone"), "add", 1], ["call", play.id("gone"), "delete"]],
    )
    entity = f"@box@{play.id('k')}"
    seen = [
        await play.raw("GetInstance", pb.GetInstanceRequest(instanceId=entity, getInputsAndOutputs=payloads))
        for payloads in (True, False)
    ]
    seen.append(
        await play.raw(
            "GetInstance", pb.GetInstanceRequest(instanceId=f"@box@{play.id('gone')}", getInputsAndOutputs=True)
        )
    )
    tries = [
        await play.tried("raise_orchestration_event", entity, "x", data=1),
        await play.tried("schedule_new_orchestration", "script", instance_id=entity),
        await play.tried("restart_orchestration", entity),
    ]
    await play.signal("k", "add", 2)
    return [seen, tries, await play.until_box("k", lambda state: "2" in state)]


async def purged(play: Play) -> Any:
    await play.ran("a", [["call", play.id("k"), "add", 1]])
    purged = await play.raw("PurgeInstances", pb.PurgeInstancesRequest(instanceId=f"@box@{play.id('k')}"))
    gone = await play.box("k")
    await play.signal("k", "add", 2)
    return [purged, gone, await play.until_box("k", bool)]
