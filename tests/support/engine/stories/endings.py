"""How orchestrations end, and their outputs, failures and custom statuses as a client reads them."""

from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from tests.support.engine.story_client import Play


async def with_values_of_every_kind(play: Play) -> Any:
    values: list[Any] = [None, "", 0, False, [], {}, "null", "x"]
    ended = [await play.ran(f"a{n}", [["return", value]]) for n, value in enumerate(values)]
    return [[state["orchestrationStatus"], state.get("output")] for state in ended]


async def with_an_exception(play: Play) -> Any:
    return [await play.ran(f"a{n}", [["raise", text]]) for n, text in enumerate(["", "a: b", "one\ntwo", "é"])]


async def with_an_uncaught_failure(play: Play) -> Any:
    """Of an activity, and of a sub-orchestration."""
    return [await play.ran("a", of="smuggle"), await play.ran("b", [["uncaught", "script", [["raise", "deep"]]]])]


async def with_input_that_is_no_json(play: Play) -> Any:
    await play.raw(
        "StartInstance", pb.CreateInstanceRequest(instanceId=play.id("a"), name="script", input={"value": "x"})
    )
    return await play.ended("a")


async def seen_by_the_apps_client(play: Play) -> Any:
    """A failure and an ordinary end in the SDK, with and without payloads."""
    await play.ran("a", [["status", 1], ["raise", "boom"]])
    await play.ran("b", [["return", 1]])
    seen = []
    for name in "ab":
        for payloads in (True, False):
            state = await play.call("get_orchestration_state", play.id(name), fetch_payloads=payloads)
            seen.append(
                [
                    state.serialized_input,
                    state.serialized_output,
                    state.serialized_custom_status,
                    str(state.failure_details),
                ]
            )
    return seen


async def by_a_failed_activity(play: Play) -> Any:
    """The failure has the exception's type and first line; for an unknown activity neither."""
    texts = ["boom", "", "a: b", "ValueError: x", "one\ntwo", " spaces ", "Stack: y\nStack: z"]
    return await play.ran("a", [*(["activity", "fail", text] for text in texts), ["activity", "nobody", 1]])


async def custom_status_values(play: Play) -> Any:
    seen = []
    for n, value in enumerate([None, "", 0, {}, [1], "é", {"a": None}]):
        await play.start(f"a{n}", [["status", value], ["event", "go"]])
        seen.append((await play.began(f"a{n}"))["customStatus"])
    return seen


async def custom_status_from_turn_to_turn(play: Play) -> Any:
    await play.start("a", [["status", 1], ["activity", "echo", 1], ["event", "go"], ["status", None], ["event", "go"]])
    first = await play.until("a", lambda state: state.get("customStatus") == "1")
    await play.call("raise_orchestration_event", play.id("a"), "go")
    second = await play.until("a", lambda state: state.get("customStatus") == "null")
    return [first, second]


async def custom_status_of_a_continued_orchestration(play: Play) -> Any:
    """The status stays while the next execution waits, and is gone after that execution's next turn."""
    await play.start("a", [["status", 1], ["again", [["event", "go"], ["event", "go"]]]])
    first = await play.began("a")
    await play.call("raise_orchestration_event", play.id("a"), "go")
    return [first, await play.until("a", lambda state: state.get("customStatus") == "null")]


async def custom_status_of_many_bytes(play: Play) -> Any:
    """The limit is 16 KB of UTF-16."""
    return [await play.ran(f"a{size}", [["status", "y" * size], ["return", size]]) for size in (8190, 8191)]


async def continued_as_new(play: Play) -> Any:
    steps = [["activity", "echo", 1], ["again", [["me"]]]]
    return await play.ran("a", [["status", 7], ["again", steps]])


async def terminated(play: Play) -> Any:
    """A running instance, with and without a reason; an ended one; and a missing one."""
    outcomes = []
    for name, reason in (("a", {"why": 1}), ("b", None)):
        await play.waits(name)
        outcomes.append(await play.tried("terminate_orchestration", play.id(name), output=reason))
        outcomes.append(await play.ended(name))
    outcomes.append(await play.tried("terminate_orchestration", play.id("a"), output="again"))
    return [*outcomes, await play.tried("terminate_orchestration", play.id("none"))]


async def terminated_with_a_child(play: Play) -> Any:
    """The child goes on."""
    await play.start("a", [["child", "script", [["event", "go"]], play.id("c")]])
    await play.began("c")
    await play.call("terminate_orchestration", play.id("a"), output="enough")
    return [await play.ended("a"), await play.state("c")]


async def terminated_while_suspended(play: Play) -> Any:
    await play.waits("a")
    await play.call("suspend_orchestration", play.id("a"))
    await play.is_("a", "SUSPENDED")
    await play.call("terminate_orchestration", play.id("a"), output="x")
    return await play.ended("a")


async def suspended_and_resumed(play: Play) -> Any:
    """Events that arrive meanwhile wait."""
    await play.waits("a", [["event", "go"], ["timer", 0.1], ["activity", "echo", 2]])
    suspended = await play.tried("suspend_orchestration", play.id("a"))
    state = await play.is_("a", "SUSPENDED")
    again = await play.tried("suspend_orchestration", play.id("a"))
    await play.call("raise_orchestration_event", play.id("a"), "go", data=1)
    await play.sleep(2)
    still = await play.state("a")
    resumed = await play.tried("resume_orchestration", play.id("a"))
    return [suspended, state, again, still, resumed, await play.ended("a")]


async def suspended_with_a_reason(play: Play) -> Any:
    await play.waits("a")
    await play.raw("SuspendInstance", pb.SuspendRequest(instanceId=play.id("a"), reason={"value": "because"}))
    suspended = await play.is_("a", "SUSPENDED")
    await play.raw("ResumeInstance", pb.ResumeRequest(instanceId=play.id("a"), reason={"value": "on"}))
    return [suspended, await play.is_("a", "RUNNING")]


async def suspended_or_resumed_in_the_wrong_state(play: Play) -> Any:
    await play.waits("runs")
    await play.ran("ended", [["me"]])
    tries = [("resume", "runs"), ("resume", "ended"), ("suspend", "ended"), ("suspend", "none"), ("resume", "none")]
    return [await play.tried(f"{verb}_orchestration", play.id(name)) for verb, name in tries]


async def purged(play: Play) -> Any:
    """Only ended instances, without their children; a running one is refused, a missing one counts as 0."""
    await play.ran("a", [["child", "script", [["me"]], play.id("c")]])
    await play.waits("runs")
    outcomes = [await play.purge(name) for name in ("a", "a", "none", "runs")]
    await play.call("suspend_orchestration", play.id("runs"))
    await play.is_("runs", "SUSPENDED")
    outcomes.append(await play.purge("runs"))
    result = await play.call("purge_orchestration", play.id("c"))
    return [outcomes, await play.state("a"), [result.deleted_instance_count, result.is_complete]]
