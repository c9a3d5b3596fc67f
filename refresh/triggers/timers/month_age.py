"""Days since the last monthly refresh that ended well: one log line a day, because an alert looks back two days only.

Decides which month counts: one that ended and did not fail; VMs that were refused or rolled back have outcomes of their
own. Without one, the time runs from the oldest month in the history. Before the first month nothing is logged.
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from azure.durable_functions import DurableFunctionsClient

from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.instances import list_instances
from refresh.triggers.http.durable_client import instance_of
from refresh.views.dispatcher_state import DispatcherView
from refresh.views.runs import run_record

_log = logging.getLogger(__name__)
_PREFIX = "month-"


async def log_month_age(client: DurableFunctionsClient, now: datetime) -> None:
    """Log `months {"days": …, "last": …}`: days since the month `last` (an id; null for none) began."""
    found = await list_instances(client, prefix=_PREFIX)
    if not found:
        return
    dispatcher = DispatcherView(await read_dispatcher_state(client))
    last = None
    # Newest first, and one by one: a month's payload alone may be megabytes.
    for state in sorted(found, key=lambda each: each.created_at, reverse=True):
        whole = await client.get_orchestration_state(state.instance_id)
        if whole is not None and run_record(instance_of(whole), dispatcher)["status"] not in ("failed", "running"):
            last = whole
            break
    days = days_since((last.created_at,), now) if last else days_since((each.created_at for each in found), now)
    _log.info("months %s", json.dumps({"days": days, "last": last.instance_id if last else None}))


def days_since(moments: Iterable[datetime], now: datetime) -> int:
    """Whole days from the earliest of `moments` (Durable's times, UTC without a zone) to `now`, 0 at least."""
    # ARM's clock counts whole seconds, so a run that has just begun may lie ahead of it.
    return max(0, (now - min(moment.replace(tzinfo=UTC) for moment in moments)).days)
