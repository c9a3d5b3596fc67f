"""How orchestrations reach the dispatcher and learn the time.

Decides the spelling of the calls; refuses to know why they are made.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, Task

from refresh import messages

OUTCOME_EVENT = "outcome"


def now(ctx: OrchestrationContext) -> str:
    """The orchestration's replay-safe time, ISO with zone (Durable's own is naive UTC)."""
    return ctx.current_utc_datetime.replace(tzinfo=UTC).isoformat()


def ask(ctx: OrchestrationContext, operation: str, **data: Any) -> Task[Any]:
    """Call the dispatcher and wait for its answer."""
    return ctx.call_entity(_dispatcher(), operation, {**data, "at": now(ctx)})


def tell(ctx: OrchestrationContext, operation: str, **data: Any) -> None:
    """Signal the dispatcher without waiting."""
    ctx.signal_entity(_dispatcher(), operation, {**data, "at": now(ctx)})


def _dispatcher() -> EntityInstanceId:
    return EntityInstanceId(messages.DISPATCHER, messages.DISPATCHER_KEY)
