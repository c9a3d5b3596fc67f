"""How long ago a month went through: one line a day for an alert, which itself can look back two days only.

Decides what counts: a month that ended and did not fail; VMs that were refused or rolled back have outcomes of their
own. Without one, the time runs from the oldest month that is remembered, and there is nothing to say before the first.
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from azure.durable_functions import DurableFunctionsClient

from refresh.reading.instances import list_instances
from refresh.triggers.http.durable_client import instance_of, read_book
from refresh.views.runs import run_record

_log = logging.getLogger(__name__)
_PREFIX = "month-"


async def tell_month_age(client: DurableFunctionsClient, now: datetime) -> None:
    """Log `months {"days": …, "last": …}`: days since the month `last` (an id; null for none) went through."""
    found = await list_instances(client, prefix=_PREFIX)
    if not found:
        return
    book = await read_book(client)
    last = None
    # Newest first, and one by one: a month's payload alone may be megabytes.
    for state in sorted(found, key=lambda each: each.created_at, reverse=True):
        whole = await client.get_orchestration_state(state.instance_id)
        if whole is not None and run_record(instance_of(whole), book)["status"] not in ("failed", "running"):
            last = whole
            break
    days = days_since((last.created_at,), now) if last else days_since((each.created_at for each in found), now)
    _log.info("months %s", json.dumps({"days": days, "last": last.instance_id if last else None}))


def days_since(moments: Iterable[datetime], now: datetime) -> int:
    """Whole days from the earliest of `moments` (UTC, as Durable says them without saying so) to `now`, 0 at least."""
    # ARM's clock counts whole seconds, so what has just begun may lie ahead of it.
    return max(0, (now - min(moment.replace(tzinfo=UTC) for moment in moments)).days)
