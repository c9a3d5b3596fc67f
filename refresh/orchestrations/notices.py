"""How orchestrations tell the world.

Decides that nothing depends on it: whatever becomes of an event, the orchestration goes on. Refuses to know what is
told (`event_messages`).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.event_messages import Event


def publish_meanwhile(ctx: OrchestrationContext, event: Event) -> None:
    """Have `event` published without waiting for it: a VM is down."""
    ctx.call_activity("publish_event", input=event.to_json())


def publish(ctx: OrchestrationContext, event: Event | None) -> Generator[Task[Any], Any]:
    """Have `event` published, if there is one, and wait until it is, or cannot be."""
    if event is None:
        return
    try:
        yield ctx.call_activity("publish_event", input=event.to_json())
    except TaskFailedError:
        return
