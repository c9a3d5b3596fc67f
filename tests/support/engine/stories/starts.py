"""How orchestrations start: names, ids in use, dates, versions; waits and restarts."""

from datetime import timedelta
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from tests.support.engine.story_client import Play


async def steps_of_every_kind(play: Play) -> Any:
    """An activity, several in parallel, a timer, a sub-orchestration and an entity, in sequence."""
    steps = [["activity", "echo", {"x": 1}], ["several", 3], ["timer", 0.1], ["child", "script", [["me"]]]]
    return await play.ran("a", [*steps, ["call", play.id("k"), "add", 1], ["me"]])


async def without_input(play: Play) -> Any:
    return await play.ran("a")


async def of_an_unknown_name(play: Play) -> Any:
    started = await play.tried("schedule_new_orchestration", "nobody", input=1, instance_id=play.id("a"))
    return [started, await play.ended("a")]


async def of_a_name_in_another_case(play: Play) -> Any:
    steps = [["activity", "ECHO", 1], ["child", "Script", [["me"]]]]
    await play.call("schedule_new_orchestration", "SCRIPT", input=steps, instance_id=play.id("a"))
    return await play.ended("a")


async def without_an_id(play: Play) -> Any:
    answer = await play.raw("StartInstance", pb.CreateInstanceRequest(name="script"))
    return [len(answer["instanceId"])]


async def with_an_id_that_runs(play: Play) -> Any:
    await play.waits("a")
    again = await play.tried("schedule_new_orchestration", "script", input=[["me"]], instance_id=play.id("a"))
    await play.call("raise_orchestration_event", play.id("a"), "go", data="first")
    return [again, await play.ended("a")]


async def with_an_id_that_ended(play: Play) -> Any:
    await play.ran("a", [["status", "old"], ["return", "old"]])
    await play.ran("b", [["raise", "old"]])
    again = [
        await play.tried("schedule_new_orchestration", "script", input=[["me"]], instance_id=play.id(n)) for n in "ab"
    ]
    ended = [await play.until(name, lambda state: '"id"' in state.get("output", "")) for name in "ab"]
    return [again, ended]


async def with_an_id_that_was_just_started(play: Play) -> Any:
    await play.ran("a", [["me"]])
    tries = [
        await play.tried(
            "schedule_new_orchestration", "script", input=[["activity", "pause", n]], instance_id=play.id("a")
        )
        for n in (2, 1)
    ]
    return [tries, await play.until("a", lambda state: "rested" in state.get("output", ""))]


async def with_odd_ids(play: Play) -> Any:
    odd = ["a/b", "a\\b", "a#b", "a?b", "a\nb", "a%b", "a b", "a'b", 'a"b', "日本", "a&b<c>", "[a]{b}", "a\U0001f600"]
    started = [await play.tried("schedule_new_orchestration", "script", instance_id=play.id(one)) for one in odd]
    return [started, [(await play.ended(one))["instanceId"] for one in odd]]


async def for_later(play: Play) -> Any:
    later = play.clock.now() + timedelta(seconds=4)
    await play.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=play.id("a"), start_at=later)
    earlier = play.clock.now() - timedelta(seconds=4)
    await play.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=play.id("b"), start_at=earlier)
    return [await play.state("a"), await play.ended("a"), await play.ended("b")]


async def for_later_and_called_off(play: Play) -> Any:
    """Terminated before its start it never runs; a purge before that is refused."""
    later = play.clock.now() + timedelta(seconds=300)
    await play.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=play.id("a"), start_at=later)
    purged = await play.raw("PurgeInstances", pb.PurgeInstancesRequest(instanceId=play.id("a")))
    ended = await play.tried("terminate_orchestration", play.id("a"), output="not wanted")
    return [purged, ended, await play.ended("a")]


async def with_tags(play: Play) -> Any:
    await play.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=play.id("a"), tags={"k": "v"})
    return [await play.ended("a"), await play.state("a", payloads=False)]


async def with_a_version(play: Play) -> Any:
    """Without a default version in host.json an orchestration with a version never runs."""
    await play.call("schedule_new_orchestration", "script", input=[["me"]], instance_id=play.id("a"), version="1.0")
    await play.sleep(3)
    return await play.state("a")


async def looked_for_in_vain(play: Play) -> Any:
    state = await play.tried("get_orchestration_state", play.id("none"))
    return [state, await play.raw("GetInstance", pb.GetInstanceRequest(instanceId=play.id("none")))]


async def waited_for_in_vain(play: Play) -> Any:
    waits = [
        await play.tried(f"wait_for_orchestration_{what}", play.id("none"), timeout=2)
        for what in ("start", "completion")
    ]
    await play.waits("a")
    return [*waits, await play.tried("wait_for_orchestration_completion", play.id("a"), timeout=2)]


async def waited_for(play: Play) -> Any:
    await play.start("a", [["timer", 1], ["return", "there"]])
    state = await play.call("wait_for_orchestration_completion", play.id("a"), timeout=50)
    return [state.runtime_status.name, state.serialized_output, str(state.created_at.tzinfo)]


async def started_again(play: Play) -> Any:
    await play.ran("a", [["me"]])
    await play.waits("b")
    same = await play.tried("restart_orchestration", play.id("a"))
    state = await play.until("a", lambda state: state["orchestrationStatus"] == "COMPLETED")
    other = await play.tried("restart_orchestration", play.id("a"), restart_with_new_instance_id=True)
    none = await play.tried("restart_orchestration", play.id("none"))
    return [same, state, other, none, await play.tried("restart_orchestration", play.id("b"))]


async def rewound_in_vain(play: Play) -> Any:
    await play.ran("a", [["me"]])
    return [await play.tried("rewind_orchestration", play.id(name), reason="r") for name in ("a", "none")]
