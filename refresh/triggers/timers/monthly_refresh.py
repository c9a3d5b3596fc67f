"""The monthly timer: starts `refresh_month`.

A timer may fire twice; the run's id follows from the minute, so the second start finds the first.
"""

from __future__ import annotations

import logging

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.domain.terms import resource_id
from refresh.records import durable_names

_log = logging.getLogger(__name__)


async def monthly_refresh(timer: func.TimerRequest, client: DurableFunctionsClient) -> None:
    """Start this month's refresh, unless this firing of the timer has started it already."""
    now = await wiring.gateways().clock.now()
    period = now[:4] + now[5:7]
    run = f"month-{period}-{resource_id.id_hash(f'timer {now[:16]}')[:8]}"
    if await _is_known(client, run):
        _log.info("%s was started by this firing of the timer already", run)
        return
    try:
        await client.schedule_new_orchestration(durable_names.REFRESH_MONTH, input={"period": period}, instance_id=run)
    except Exception:
        # Two firings at the same moment: the second start is refused, by each backend with another exception.
        if not await _is_known(client, run):
            raise
        _log.info("%s was started by this firing of the timer meanwhile", run)
        return
    _log.info("started %s", run)


async def _is_known(client: DurableFunctionsClient, run: str) -> bool:
    return await client.get_orchestration_state(run, fetch_payloads=False) is not None
