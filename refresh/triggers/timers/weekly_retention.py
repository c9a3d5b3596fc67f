"""The weekly timer: starts `apply_retention`, which only lists unless `REFRESH_RETENTION` is `delete`.

A timer may fire twice; the run's id follows from the minute, so the second start finds the first.
"""

from __future__ import annotations

import logging

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.domain.terms import resource_id
from refresh.records import durable_names
from refresh.records.retention import RetentionInput

_log = logging.getLogger(__name__)


async def weekly_retention(timer: func.TimerRequest, client: DurableFunctionsClient) -> None:
    """Start this week's retention, unless this firing of the timer has started it already."""
    now = await wiring.gateways().clock.now()
    period = now[:4] + now[5:7]
    run = f"retention-{period}-{resource_id.id_hash(f'timer {now[:16]}')[:8]}"
    if await client.get_orchestration_state(run, fetch_payloads=False) is not None:
        _log.info("%s was started by this firing of the timer already", run)
        return
    request = RetentionInput(delete=wiring.settings().retention == "delete")
    await client.schedule_new_orchestration(durable_names.APPLY_RETENTION, input=request.to_json(), instance_id=run)
    _log.info("started %s, to %s", run, "delete" if request.delete else "list only")
