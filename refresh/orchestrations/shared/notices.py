"""Publishes events for orchestrations, and waits out the notice before a VM is stopped.

Decides that no swap depends on whether an event is published, and which swaps have a notice. Leaves the content of
events to `records.events`. Does not know what follows the notice.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.swap.plan import NOTICE
from refresh.orchestrations.shared.dispatcher_calls import now, signal_dispatcher
from refresh.records import durable_names
from refresh.records.durable_names import Operation
from refresh.records.events import Event, starting_event
from refresh.records.swap import Intent


def publish_meanwhile(ctx: OrchestrationContext, event: Event) -> None:
    """Publish `event` without waiting for it, because a VM is down."""
    ctx.call_activity(durable_names.PUBLISH_EVENT, input=event.to_json())


def publish(ctx: OrchestrationContext, event: Event | None) -> Generator[Task[Any], Any]:
    """Publish `event`, if there is one, and wait until it is published or has failed."""
    if event is None:
        return
    try:
        yield ctx.call_activity(durable_names.PUBLISH_EVENT, input=event.to_json())
    except TaskFailedError:
        return


def give_notice(
    ctx: OrchestrationContext, vm: str, n: int, intent: Intent, message: str, notice_s: int
) -> Generator[Task[Any], Any, bool]:
    """Publish that a swap is about to begin and wait `notice_s`; returns whether it has waited.

    A VM that does not run is not stopped, so there is no wait.
    """
    hold_s = notice_s if intent.was_running else 0
    until = ctx.current_utc_datetime + timedelta(seconds=hold_s)
    hold_until = until.replace(tzinfo=UTC).isoformat()
    yield from publish(ctx, starting_event(vm, ctx.instance_id, intent, message, now(ctx), hold_until))
    if not hold_s:
        return False
    signal_dispatcher(ctx, Operation.STEP, vm=vm, n=n, step=NOTICE)
    yield ctx.create_timer(until)
    if ctx.current_utc_datetime < until:
        # A durable timer may fire up to a second early: delays of queue messages are whole seconds.
        yield ctx.create_timer(until + timedelta(seconds=1))
    return True
