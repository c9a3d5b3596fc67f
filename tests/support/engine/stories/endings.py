"""How orchestrations end, and their outputs, failures and custom statuses as a client reads them."""

from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from tests.support.engine.story_client import StoryClient


async def with_values_of_every_kind(hub: StoryClient) -> Any:
    values: list[Any] = [None, "", 0, False, [], {}, "null", "x"]
    ended = [await hub.ran(f"a{n}", [["return", value]]) for n, value in enumerate(values)]
    return [[state["orchestrationStatus"], state.get("output")] for state in ended]


async def with_an_exception(hub: StoryClient) -> Any:
    return [await hub.ran(f"a{n}", [["raise", text]]) for n, text in enumerate(["", "a: b", "one\ntwo", "é"])]


async def with_an_uncaught_failure(hub: StoryClient) -> Any:
    """Of an activity, and of a sub-orchestration."""
    return [await hub.ran("a", of="smuggle"), await hub.ran("b", [["uncaught", "script", [["raise", "deep"]]]])]


async def with_input_that_is_no_json(hub: StoryClient) -> Any:
    await hub.raw(
        "StartInstance", pb.CreateInstanceRequest(instanceId=hub.id("a"), name="script", input={"value": "x"})
    )
    return await hub.ended("a")


async def seen_by_the_apps_client(hub: StoryClient) -> Any:
    """A failure and an ordinary end in the SDK, with and without payloads."""
    await hub.ran("a", [["status", 1], ["raise", "boom"]])
    await hub.ran("b", [["return", 1]])
    seen = []
    for name in "ab":
        for payloads in (True, False):
            state = await hub.call("get_orchestration_state", hub.id(name), fetch_payloads=payloads)
            seen.append(
                [
                    state.serialized_input,
                    state.serialized_output,
                    state.serialized_custom_status,
                    str(state.failure_details),
                ]
            )
    return seen


async def by_a_failed_activity(hub: StoryClient) -> Any:
    """The failure has the exception's type and first line; for an unknown activity neither."""
    texts = ["boom", "", "a: b", "ValueError: x", "one\ntwo", " spaces ", "Stack: y\nStack: z"]
    return await hub.ran("a", [*(["activity", "fail", text] for text in texts), ["activity", "nobody", 1]])


async def custom_status_values(hub: StoryClient) -> Any:
    seen = []
    for n, value in enumerate([None, "", 0, {}, [1], "é", {"a": None}]):
        await hub.start(f"a{n}", [["status", value], ["event", "go"]])
        seen.append((await hub.began(f"a{n}"))["customStatus"])
    return seen


async def custom_status_from_turn_to_turn(hub: StoryClient) -> Any:
    await hub.start("a", [["status", 1], ["activity", "echo", 1], ["event", "go"], ["status", None], ["event", "go"]])
    first = await hub.until("a", lambda state: state.get("customStatus") == "1")
    await hub.call("raise_orchestration_event", hub.id("a"), "go")
    second = await hub.until("a", lambda state: state.get("customStatus") == "null")
    return [first, second]


async def custom_status_of_a_continued_orchestration(hub: StoryClient) -> Any:
    """The status stays while the next execution waits, and is gone after that execution's next turn."""
    await hub.start("a", [["status", 1], ["again", [["event", "go"], ["event", "go"]]]])
    first = await hub.began("a")
    await hub.call("raise_orchestration_event", hub.id("a"), "go")
    return [first, await hub.until("a", lambda state: state.get("customStatus") == "null")]


async def custom_status_of_many_bytes(hub: StoryClient) -> Any:
    """The limit is 16 KB of UTF-16."""
    return [await hub.ran(f"a{size}", [["status", "y" * size], ["return", size]]) for size in (8190, 8191)]


async def continued_as_new(hub: StoryClient) -> Any:
    steps = [["activity", "echo", 1], ["again", [["me"]]]]
    return await hub.ran("a", [["status", 7], ["again", steps]])


async def terminated(hub: StoryClient) -> Any:
    """A running instance, with and without a reason; an ended one; and a missing one."""
    outcomes = []
    for name, reason in (("a", {"why": 1}), ("b", None)):
        await hub.waits(name)
        outcomes.append(await hub.tried("terminate_orchestration", hub.id(name), output=reason))
        outcomes.append(await hub.ended(name))
    outcomes.append(await hub.tried("terminate_orchestration", hub.id("a"), output="again"))
    return [*outcomes, await hub.tried("terminate_orchestration", hub.id("none"))]


async def terminated_with_a_child(hub: StoryClient) -> Any:
    """The child goes on."""
    await hub.start("a", [["child", "script", [["event", "go"]], hub.id("c")]])
    await hub.began("c")
    await hub.call("terminate_orchestration", hub.id("a"), output="enough")
    return [await hub.ended("a"), await hub.state("c")]


async def terminated_while_suspended(hub: StoryClient) -> Any:
    await hub.waits("a")
    await hub.call("suspend_orchestration", hub.id("a"))
    await hub.is_("a", "SUSPENDED")
    await hub.call("terminate_orchestration", hub.id("a"), output="x")
    return await hub.ended("a")


async def suspended_and_resumed(hub: StoryClient) -> Any:
    """Events that arrive meanwhile wait."""
    await hub.waits("a", [["event", "go"], ["timer", 0.1], ["activity", "echo", 2]])
    suspended = await hub.tried("suspend_orchestration", hub.id("a"))
    state = await hub.is_("a", "SUSPENDED")
    again = await hub.tried("suspend_orchestration", hub.id("a"))
    await hub.call("raise_orchestration_event", hub.id("a"), "go", data=1)
    await hub.sleep(2)
    still = await hub.state("a")
    resumed = await hub.tried("resume_orchestration", hub.id("a"))
    return [suspended, state, again, still, resumed, await hub.ended("a")]


async def suspended_with_a_reason(hub: StoryClient) -> Any:
    await hub.waits("a")
    await hub.raw("SuspendInstance", pb.SuspendRequest(instanceId=hub.id("a"), reason={"value": "because"}))
    suspended = await hub.is_("a", "SUSPENDED")
    await hub.raw("ResumeInstance", pb.ResumeRequest(instanceId=hub.id("a"), reason={"value": "on"}))
    return [suspended, await hub.is_("a", "RUNNING")]


async def suspended_or_resumed_in_the_wrong_state(hub: StoryClient) -> Any:
    await hub.waits("runs")
    await hub.ran("ended", [["me"]])
    tries = [("resume", "runs"), ("resume", "ended"), ("suspend", "ended"), ("suspend", "none"), ("resume", "none")]
    return [await hub.tried(f"{verb}_orchestration", hub.id(name)) for verb, name in tries]


async def purged(hub: StoryClient) -> Any:
    """Only ended instances, without their children; a running one is refused, a missing one counts as 0."""
    await hub.ran("a", [["child", "script", [["me"]], hub.id("c")]])
    await hub.waits("runs")
    outcomes = [await hub.purge(name) for name in ("a", "a", "none", "runs")]
    await hub.call("suspend_orchestration", hub.id("runs"))
    await hub.is_("runs", "SUSPENDED")
    outcomes.append(await hub.purge("runs"))
    result = await hub.call("purge_orchestration", hub.id("c"))
    return [outcomes, await hub.state("a"), [result.deleted_instance_count, result.is_complete]]
