"""How orchestrations start: names, ids in use, dates, versions; waits and restarts."""

from datetime import timedelta
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from tests.support.engine.story_client import StoryClient


async def steps_of_every_kind(hub: StoryClient) -> Any:
    """An activity, several in parallel, a timer, a sub-orchestration and an entity, in sequence."""
    steps = [["activity", "echo", {"x": 1}], ["several", 3], ["timer", 0.1], ["child", "script", [["me"]]]]
    return await hub.ran("a", [*steps, ["call", hub.id("k"), "add", 1], ["me"]])


async def without_input(hub: StoryClient) -> Any:
    return await hub.ran("a")


async def of_an_unknown_name(hub: StoryClient) -> Any:
    started = await hub.tried("schedule_new_orchestration", "nobody", input=1, instance_id=hub.id("a"))
    return [started, await hub.ended("a")]


async def of_a_name_in_another_case(hub: StoryClient) -> Any:
    steps = [["activity", "ECHO", 1], ["child", "Script", [["me"]]]]
    await hub.call("schedule_new_orchestration", "SCRIPT", input=steps, instance_id=hub.id("a"))
    return await hub.ended("a")


async def without_an_id(hub: StoryClient) -> Any:
    answer = await hub.raw("StartInstance", pb.CreateInstanceRequest(name="script"))
    return [len(answer["instanceId"])]


async def with_an_id_that_runs(hub: StoryClient) -> Any:
    await hub.waits("a")
    again = await hub.tried("schedule_new_orchestration", "script", input=[["me"]], instance_id=hub.id("a"))
    await hub.call("raise_orchestration_event", hub.id("a"), "go", data="first")
    return [again, await hub.ended("a")]


async def with_an_id_that_ended(hub: StoryClient) -> Any:
    await hub.ran("a", [["status", "old"], ["return", "old"]])
    await hub.ran("b", [["raise", "old"]])
    again = [
        await hub.tried("schedule_new_orchestration", "script", input=[["me"]], instance_id=hub.id(n)) for n in "ab"
    ]
    ended = [await hub.until(name, lambda state: '"id"' in state.get("output", "")) for name in "ab"]
    return [again, ended]


async def with_a_policy_for_ids_in_use(hub: StoryClient) -> Any:
    """A policy names the statuses in which an instance may be replaced; an empty one refuses every id in use."""
    await hub.ran("ended", [["return", "old"]])
    await hub.ran("failed", [["raise", "old"]])
    await hub.waits("terminated")
    await hub.call("terminate_orchestration", hub.id("terminated"), output="old")
    await hub.ended("terminated")
    await hub.waits("running")
    never = pb.OrchestrationIdReusePolicy()
    completed = pb.OrchestrationIdReusePolicy(replaceableStatus=[pb.ORCHESTRATION_STATUS_COMPLETED])
    tries = [
        await hub.tried(
            "schedule_new_orchestration", "script", input=[["me"]], instance_id=hub.id(name), reuse_id_policy=policy
        )
        for name, policy in (
            *((name, never) for name in ("new", "ended", "failed", "terminated", "running")),
            *((name, completed) for name in ("failed", "terminated", "running", "ended")),
        )
    ]
    again = await hub.until("ended", lambda state: '"id"' in state.get("output", ""))
    return [tries, again, await hub.ended("new"), await hub.state("running")]


async def with_an_id_that_was_just_started(hub: StoryClient) -> Any:
    await hub.ran("a", [["me"]])
    tries = [
        await hub.tried(
            "schedule_new_orchestration", "script", input=[["activity", "pause", n]], instance_id=hub.id("a")
        )
        for n in (2, 1)
    ]
    return [tries, await hub.until("a", lambda state: "rested" in state.get("output", ""))]


async def with_odd_ids(hub: StoryClient) -> Any:
    odd = ["a/b", "a\\b", "a#b", "a?b", "a\nb", "a%b", "a b", "a'b", 'a"b', "日本", "a&b<c>", "[a]{b}", "a\U0001f600"]
    started = [await hub.tried("schedule_new_orchestration", "script", instance_id=hub.id(one)) for one in odd]
    return [started, [(await hub.ended(one))["instanceId"] for one in odd]]


async def for_later(hub: StoryClient) -> Any:
    later = hub.clock.now() + timedelta(seconds=4)
    await hub.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=hub.id("a"), start_at=later)
    earlier = hub.clock.now() - timedelta(seconds=4)
    await hub.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=hub.id("b"), start_at=earlier)
    return [await hub.state("a"), await hub.ended("a"), await hub.ended("b")]


async def for_later_and_called_off(hub: StoryClient) -> Any:
    """Terminated before its start it never runs; a purge before that is refused."""
    later = hub.clock.now() + timedelta(seconds=300)
    await hub.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=hub.id("a"), start_at=later)
    purged = await hub.raw("PurgeInstances", pb.PurgeInstancesRequest(instanceId=hub.id("a")))
    ended = await hub.tried("terminate_orchestration", hub.id("a"), output="not wanted")
    return [purged, ended, await hub.ended("a")]


async def with_tags(hub: StoryClient) -> Any:
    await hub.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=hub.id("a"), tags={"k": "v"})
    return [await hub.ended("a"), await hub.state("a", payloads=False)]


async def with_a_version(hub: StoryClient) -> Any:
    """Without a default version in host.json an orchestration with a version never runs."""
    await hub.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=hub.id("a"), version="1.0")
    await hub.sleep(3)
    return await hub.state("a")


async def looked_for_in_vain(hub: StoryClient) -> Any:
    state = await hub.tried("get_orchestration_state", hub.id("none"))
    return [state, await hub.raw("GetInstance", pb.GetInstanceRequest(instanceId=hub.id("none")))]


async def waited_for_in_vain(hub: StoryClient) -> Any:
    waits = [
        await hub.tried(f"wait_for_orchestration_{what}", hub.id("none"), timeout=2) for what in ("start", "completion")
    ]
    await hub.waits("a")
    return [*waits, await hub.tried("wait_for_orchestration_completion", hub.id("a"), timeout=2)]


async def waited_for(hub: StoryClient) -> Any:
    await hub.start("a", [["timer", 1], ["return", "there"]])
    state = await hub.call("wait_for_orchestration_completion", hub.id("a"), timeout=50)
    return [state.runtime_status.name, state.serialized_output, str(state.created_at.tzinfo)]


async def started_again(hub: StoryClient) -> Any:
    await hub.ran("a", [["me"]])
    await hub.waits("b")
    same = await hub.tried("restart_orchestration", hub.id("a"))
    state = await hub.until("a", lambda state: state["orchestrationStatus"] == "COMPLETED")
    other = await hub.tried("restart_orchestration", hub.id("a"), restart_with_new_instance_id=True)
    none = await hub.tried("restart_orchestration", hub.id("none"))
    return [same, state, other, none, await hub.tried("restart_orchestration", hub.id("b"))]


async def rewound_in_vain(hub: StoryClient) -> Any:
    await hub.ran("a", [["me"]])
    return [await hub.tried("rewind_orchestration", hub.id(name), reason="r") for name in ("a", "none")]
