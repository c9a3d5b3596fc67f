"""Queries and purges, on a hub without other stories: listed instances, order, pages; purged instances."""

from datetime import timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[attr-defined] # protobuf makes it at run time

from tests.support.engine.story_client import StoryClient

_ALL = {"maxInstanceCount": 1000}
_RUNNING, _COMPLETED, _FAILED = 0, 1, 3


async def listed_and_purged(hub: StoryClient) -> Any:
    """One story, because it needs an own hub and its parts in this order."""
    before = await _fleet(hub)
    return {**await _pages(hub), **await _filters(hub, before), **await _fields(hub), **await _purges(hub, before)}


async def _fleet(hub: StoryClient) -> Timestamp:
    for name in ("b", "a", "C", "a/x", "ä", "a b"):
        await hub.call(
            "schedule_new_orchestration", "script", input=[["status", name], ["return", name]], instance_id=name
        )
    await hub.call("schedule_new_orchestration", "script", input=[["raise", "x"]], instance_id="failed")
    steps = [["child", "script", [["event", "x"]], "the-child"]]
    await hub.call("schedule_new_orchestration", "script", input=steps, instance_id="runs")
    await hub.signal("k", "add", 1)
    await hub.until_box("k", bool)
    await hub.named("the-child", lambda state: "customStatus" in state)
    for name in ("b", "a", "C", "a/x", "ä", "a b", "failed"):
        await hub.named(name, lambda state: "output" in state)
    await hub.sleep(0.5)
    moment = Timestamp()
    moment.FromDatetime(hub.clock.now())
    await hub.sleep(0.5)
    await hub.call(
        "schedule_new_orchestration",
        "script",
        input=[["event", "x"]],
        instance_id="late",
        tags={"k": "v"},
        start_at=hub.clock.now(),
    )
    await hub.named("late", lambda state: "customStatus" in state)
    return moment


async def _ids(hub: StoryClient, **query: Any) -> Any:
    answer = await hub.query(**query)
    if "refused" in answer:
        return answer
    return [
        [state["instanceId"] for state in answer.get("orchestrationState", [])],
        bool(answer.get("continuationToken")),
    ]


async def _pages(hub: StoryClient) -> dict[str, Any]:
    pages: list[list[str]] = []
    token: str | None = None
    while len(pages) < 20:
        answer = await hub.query(maxInstanceCount=3, continuationToken={"value": token} if token else None)
        pages.append([state["instanceId"] for state in answer.get("orchestrationState", [])])
        token = answer.get("continuationToken")
        if not token:
            break
    sizes = {f"of {size}": await _ids(hub, maxInstanceCount=size) for size in (0, 2, 1000, 1001, -1, 2**31 - 1)}
    return {"pages of three": pages, **sizes, "without a size": await _ids(hub)}


async def _filters(hub: StoryClient, moment: Timestamp) -> dict[str, Any]:
    late = Timestamp()
    late.FromJsonString((await hub.named("late", bool))["createdTimestamp"])
    prefixes = {
        f"prefix {prefix!r}": await _ids(hub, **_ALL, instanceIdPrefix={"value": prefix})
        for prefix in ("", "a", "a/", "@", "x")
    }
    return {
        **prefixes,
        "running": await _ids(hub, **_ALL, runtimeStatus=[_RUNNING]),
        "completed": await _ids(hub, **_ALL, runtimeStatus=[_COMPLETED]),
        "failed or running": await _ids(hub, **_ALL, runtimeStatus=[_FAILED, _RUNNING]),
        "running, with a prefix": await _ids(hub, **_ALL, runtimeStatus=[_RUNNING], instanceIdPrefix={"value": "l"}),
        "from a moment": await _ids(hub, **_ALL, createdTimeFrom=moment),
        "until a moment": await _ids(hub, **_ALL, createdTimeTo=moment),
        "running, until a moment": await _ids(hub, **_ALL, createdTimeTo=moment, runtimeStatus=[_RUNNING]),
        "from its own moment": await _ids(hub, **_ALL, createdTimeFrom=late),
        "until its own moment": await _ids(hub, **_ALL, createdTimeTo=late, instanceIdPrefix={"value": "l"}),
    }


async def _fields(hub: StoryClient) -> dict[str, Any]:
    variants = {"with payloads": True, "without payloads": False}
    return {name: await hub.query(**_ALL, fetchInputsAndOutputs=payloads) for name, payloads in variants.items()}


async def _purges(hub: StoryClient, moment: Timestamp) -> dict[str, Any]:
    """In this order each purge leaves fewer instances."""
    ancient = Timestamp()
    ancient.FromDatetime(hub.clock.now() - timedelta(days=1))
    seen: dict[str, Any] = {}
    purges: dict[str, dict[str, Any]] = {
        "completed until a moment": {"createdTimeTo": moment, "runtimeStatus": [_COMPLETED]},
        "everything from a moment": {"createdTimeFrom": moment},
        "running, which is no final status": {"createdTimeFrom": ancient, "runtimeStatus": [_RUNNING]},
        "everything": {},
    }
    for name, chosen in purges.items():
        answer = await hub.purge_by(**chosen)
        seen[f"purged: {name}"] = [answer, await _ids(hub, **_ALL), await hub.box("k")]
    return seen
