"""Answers a self-check: its event shows that the dispatcher can start orchestrations."""

from __future__ import annotations

from typing import Any

from durabletask.task import OrchestrationContext

from refresh.records.selfcheck import ANSWER_EVENT


def answer_selfcheck(ctx: OrchestrationContext, data: dict[str, Any]) -> dict[str, Any]:
    """`{"reply_to": instance id}`: send the event; `{}`."""
    ctx.send_event(str(data["reply_to"]), ANSWER_EVENT, data={})
    return {}
