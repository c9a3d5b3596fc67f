"""An orchestrator that runs a script of steps, and an entity for it: stories pass both as data."""

import asyncio
from collections.abc import Generator
from datetime import timedelta
from typing import Any

from durabletask import task
from durabletask.entities import EntityContext, EntityInstanceId

type Steps = Generator[task.Task[Any], Any, Any]


def script(ctx: task.OrchestrationContext, steps: list) -> Steps:  # type: ignore[type-arg] # the worker takes plain types
    """Runs the steps `[verb, *arguments]` in sequence; returns the result of each."""
    seen: list[Any] = []
    for verb, *arguments in steps or []:
        if verb == "again":
            ctx.continue_as_new(arguments[0], save_events=bool(arguments[1:] and arguments[1]))
            return None
        if verb == "return":
            return arguments[0]
        if verb == "raise":
            raise ValueError(arguments[0])
        if verb == "uncaught":
            return (yield ctx.call_sub_orchestrator(arguments[0], input=arguments[1]))
        seen.append((yield from _taken(ctx, verb, *arguments)))
    return seen


def _taken(ctx: task.OrchestrationContext, verb: str, *arguments: Any) -> Steps:
    try:
        return (yield from _STEPS[verb](ctx, *arguments))
    except task.TaskFailedError as failure:
        return {"raised": type(failure).__name__, "text": str(failure), "details": _details(failure.details)}
    except Exception as failure:
        details = getattr(failure, "failure_details", None)
        return {"raised": type(failure).__name__, "text": str(failure), "details": _details(details)}


def _details(details: Any) -> Any:
    if details is None:
        return None
    return {"type": details.error_type, "message": details.message, "stack": bool(details.stack_trace)}


def _activity(ctx: task.OrchestrationContext, name: str, value: Any = None) -> Steps:
    return (yield ctx.call_activity(name, input=value))


def _several(ctx: task.OrchestrationContext, count: int) -> Steps:
    return (yield task.when_all([ctx.call_activity("echo", input=n) for n in range(count)]))


def _timer(ctx: task.OrchestrationContext, seconds: float) -> Steps:
    began = ctx.current_utc_datetime
    yield ctx.create_timer(began + timedelta(seconds=seconds))
    return "rang"


def _timed(ctx: task.OrchestrationContext, seconds: float) -> Steps:
    began = ctx.current_utc_datetime
    yield ctx.create_timer(began + timedelta(seconds=seconds))
    return (ctx.current_utc_datetime - began).total_seconds()


def _event(ctx: task.OrchestrationContext, name: str, seconds: float | None = None) -> Steps:
    event = ctx.wait_for_external_event(name)
    if seconds is None:
        return (yield event)
    timer = ctx.create_timer(ctx.current_utc_datetime + timedelta(seconds=seconds))
    winner = yield task.when_any([event, timer])
    return event.get_result() if winner == event else "late"


def _status(ctx: task.OrchestrationContext, value: Any) -> Steps:
    ctx.set_custom_status(value)
    yield from ()  # a generator, as every step


def _signal(ctx: task.OrchestrationContext, key: str, operation: str, value: Any = None) -> Steps:
    ctx.signal_entity(EntityInstanceId("box", key), operation, input=value)
    yield from ()


def _call(ctx: task.OrchestrationContext, key: str, operation: str, value: Any = None, name: str = "box") -> Steps:
    return (yield ctx.call_entity(EntityInstanceId(name, key), operation, input=value))


def _child(ctx: task.OrchestrationContext, name: str, value: Any = None, instance_id: str | None = None) -> Steps:
    return (yield ctx.call_sub_orchestrator(name, input=value, instance_id=instance_id))


def _send(ctx: task.OrchestrationContext, instance_id: str, name: str, value: Any = None) -> Steps:
    ctx.send_event(instance_id, name, data=value)
    yield from ()


def _lock(ctx: task.OrchestrationContext, key: str) -> Steps:
    with (yield ctx.lock_entities([EntityInstanceId("box", key)])):
        return (yield ctx.call_entity(EntityInstanceId("box", key), "get"))


def _hold(ctx: task.OrchestrationContext, keys: list[str], until: str) -> Steps:
    with (yield ctx.lock_entities([EntityInstanceId("box", key) for key in keys])):
        yield ctx.wait_for_external_event(until)
        return (yield ctx.call_entity(EntityInstanceId("box", keys[0]), "add", input="held"))


def _me(ctx: task.OrchestrationContext) -> Steps:
    yield from ()
    return {"id": ctx.instance_id, "parent": ctx.parent_instance_id, "version": ctx.version}


_STEPS: dict[str, Any] = {
    "activity": _activity,
    "several": _several,
    "timer": _timer,
    "timed": _timed,
    "event": _event,
    "status": _status,
    "signal": _signal,
    "call": _call,
    "child": _child,
    "send": _send,
    "lock": _lock,
    "hold": _hold,
    "me": _me,
}


def echo(value: object) -> object:
    """Returns its input."""
    return value


async def pause(seconds: float) -> str:
    """Sleeps for `seconds`."""
    await asyncio.sleep(seconds)
    return "rested"


def much(size: int) -> str:
    """Returns a text of `size` characters."""
    return "x" * size


def box(ctx: EntityContext, value: Any) -> Any:
    """Keeps a list; has operations that fail, signal and start."""
    kept: list[Any] = ctx.get_state(list, [])
    match ctx.operation:
        case "add":
            ctx.set_state([*kept, value])
            return len(kept) + 1
        case "get":
            return kept
        case "fail":
            raise RuntimeError(value)
        case "add_and_fail":
            ctx.set_state([*kept, value])
            ctx.signal_entity(EntityInstanceId("box", f"{ctx.entity_id.key}-other"), "add", input=value)
            raise RuntimeError(value)
        case "much":
            ctx.set_state("x" * value)
        case "delete":
            ctx.set_state(None)
        case "start":
            ctx.schedule_new_orchestration(value["name"], input=value.get("input"), instance_id=value.get("id"))
        case "signal":
            ctx.signal_entity(EntityInstanceId("box", value["key"]), value["operation"], input=value.get("input"))
        case other:
            raise ValueError(f"no operation {other}")
    return None
