"""Activity: publishes one event to the outcome topic, if one is configured.

Decides how long publishing is retried. A failure is one log line and never an error of the run.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from refresh import wiring
from refresh.gateways.errors import GatewayError
from refresh.reading.calls.retrying import retry_until_answered
from refresh.records.events import Event

_log = logging.getLogger(__name__)
# No attempt begins after the budget, and the timeout ends one under way, so that no run waits longer.
BUDGET_S = 10.0
TIMEOUT_S = 15.0


async def publish_event(data: dict[str, Any]) -> dict[str, Any]:
    """Publish an `Event`: `{"ok"}`, or `{"ok": false, "message"}` after one log line; nothing without a topic."""
    event = Event.from_json(data)
    topic = wiring.gateways().topic
    if topic is None:
        return {"ok": True}
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await retry_until_answered(lambda: topic.publish(event.to_cloud_event()), budget_s=BUDGET_S)
    except (GatewayError, TimeoutError) as error:
        why = str(error)[:300] or f"no answer within {TIMEOUT_S:.0f} s"
        line = {"id": event.id, "type": event.type, "subject": event.subject, "why": why}
        _log.error("unpublished %s", json.dumps(line, sort_keys=True))
        return {"ok": False, "message": why}
    return {"ok": True}
