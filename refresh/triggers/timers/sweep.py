"""Every few minutes: finds VMs that no event reported, and swaps whose orchestration is gone.

Reads ARM's lists, never Resource Graph, which lags. Decides nothing about a VM: it hints the dispatcher at those whose
tag and OS disk differ, and reports which of its claims have no live orchestration.
"""

from __future__ import annotations

import logging
from typing import Any

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.domain.azure.vms import Vm
from refresh.domain.vm.hints import is_worth_a_look
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.dispatcher_state import DISPATCHER, read_dispatcher_state
from refresh.reading.instances import is_open
from refresh.records import durable_names, swap
from refresh.records.durable_names import Operation
from refresh.triggers.http.post_selfcheck import begin_if_required

_log = logging.getLogger(__name__)


async def sweep(timer: func.TimerRequest, client: DurableFunctionsClient) -> None:
    """Hint at every VM whose tag is not fulfilled, report claims without a live orchestration, and begin the self-check
    that swaps wait for."""
    gateways = wiring.gateways()
    now = await gateways.clock.now()
    vms = await _find_mismatches(gateways)
    # A VM with the mark of a swap may be down: it is looked at before all others.
    for first in ({"first": True}, {}):
        ids = [vm.id for vm in vms if bool(vm.own_tags.refresh_state) is bool(first)]
        for start in range(0, len(ids), swap.VMS_PER_SIGNAL):
            batch = {"vms": ids[start : start + swap.VMS_PER_SIGNAL], "at": now, "source": swap.FROM_SWEEP}
            await client.signal_entity(DISPATCHER, Operation.HINT, {**batch, **first})
    await client.signal_entity(DISPATCHER, Operation.RECOVER, {**await _find_dead(client), "at": now})
    await begin_if_required(client)


async def _find_mismatches(gateways: Gateways) -> list[Vm]:
    found: list[Vm] = []
    try:
        for subscription in await gateways.graph.list_subscriptions():
            found += [vm async for vm in gateways.compute.list_vms(subscription) if is_worth_a_look(vm)]
    except GatewayError as error:
        # What was found is hinted at, and claims are checked in any case; the next sweep reads the rest.
        _log.error("the sweep could not list every VM: %s", error)
    return found


async def _find_dead(client: DurableFunctionsClient) -> dict[str, Any]:
    """Claims without a live orchestration (`gone`), and the open `look` when it has none."""
    state = await read_dispatcher_state(client)
    gone = []
    for vm, row in state.running.items():
        if not await is_open(client, durable_names.swap_id(vm, row.n)):
            gone.append({"vm": vm, "n": row.n})
    if state.look is None or await is_open(client, state.look.id):
        return {"gone": gone}
    return {"gone": gone, "look": state.look.id}
