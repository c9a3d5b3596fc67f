"""How orchestrations tell the world, and how long they wait for it.

Decides that nothing depends on what becomes of an event, and who is given time before a VM is stopped. Refuses to know
what is told (`event_messages`) and what follows when the time is up.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.swap.plan import NOTICE
from refresh.orchestrations.shared.dispatcher_calls import now, tell
from refresh.records import durable_names
from refresh.records.events import Event, starting_event
from refresh.records.swap import Intent


def publish_meanwhile(ctx: OrchestrationContext, event: Event) -> None:
    """Have `event` published without waiting for it: a VM is down."""
    ctx.call_activity(durable_names.PUBLISH_EVENT, input=event.to_json())


def publish(ctx: OrchestrationContext, event: Event | None) -> Generator[Task[Any], Any]:
    """Have `event` published, if there is one, and wait until it is, or cannot be."""
    if event is None:
        return
    try:
        yield ctx.call_activity(durable_names.PUBLISH_EVENT, input=event.to_json())
    except TaskFailedError:
        return


def give_notice(
    ctx: OrchestrationContext, vm: str, n: int, intent: Intent, message: str, notice_s: int
) -> Generator[Task[Any], Any, bool]:
    """Tell people that a swap is about to begin and wait out `notice_s`; whether there was anything to wait for.

    A VM that does not run is not stopped: nobody has to make ready for that.
    """
    hold_s = notice_s if intent.was_running else 0
    until = ctx.current_utc_datetime + timedelta(seconds=hold_s)
    hold_until = until.replace(tzinfo=UTC).isoformat()
    yield from publish(ctx, starting_event(vm, ctx.instance_id, intent, message, now(ctx), hold_until))
    if not hold_s:
        return False
    tell(ctx, "step", vm=vm, n=n, step=NOTICE)
    yield ctx.create_timer(until)
    if ctx.current_utc_datetime < until:
        # A durable timer may fire up to a second early: delays of queue messages are whole seconds.
        yield ctx.create_timer(until + timedelta(seconds=1))
    return True
