"""Every day: logs how old the last good month is, and purges the histories of runs that ended long ago."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient
from durabletask.client import OrchestrationStatus

from refresh import wiring
from refresh.triggers.timers.month_age import log_month_age

_log = logging.getLogger(__name__)
_ENDED = [OrchestrationStatus.COMPLETED, OrchestrationStatus.FAILED, OrchestrationStatus.TERMINATED]


async def purge_history(timer: func.TimerRequest, client: DurableFunctionsClient) -> None:
    """Log the month's age, then purge runs that were created more than `REFRESH_HISTORY_DAYS` ago and have ended."""
    now = datetime.fromisoformat(await wiring.gateways().clock.now())
    await log_month_age(client, now)
    before = now - timedelta(days=wiring.settings().history_days)
    purged = await client.purge_orchestrations_by(created_time_to=before, runtime_status=_ENDED)
    _log.info("purged %d ended run(s) created before %s", purged.deleted_instance_count, before.date())
