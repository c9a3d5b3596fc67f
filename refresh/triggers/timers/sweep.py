"""Every few minutes: finds VMs that no event reported, and swaps whose orchestration is gone.

Reads ARM's lists, never Resource Graph, which lags; each subscription by itself, so that one that cannot be read delays
no VM of another. Decides nothing about a VM: it hints the dispatcher at those whose tag and OS disk differ, and reports
which of its claims have no live orchestration.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from itertools import batched
from typing import Any

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.domain.azure.vms import Vm
from refresh.domain.vm.hints import is_worth_a_look
from refresh.gateways.errors import GatewayError, Unnamed
from refresh.gateways.gateways import Gateways
from refresh.reading.dispatcher_state import DISPATCHER, read_dispatcher_state
from refresh.reading.fleet.each_subscription import Parts, read_each, read_within
from refresh.reading.fleet.subscription_lists import list_subscriptions
from refresh.reading.instances import is_open
from refresh.records import durable_names, swap
from refresh.records.durable_names import Operation
from refresh.triggers.http.post_selfcheck import begin_if_required

_log = logging.getLogger(__name__)


async def sweep(timer: func.TimerRequest, client: DurableFunctionsClient) -> None:
    """Report claims without a live orchestration, hint at every VM whose tag is not fulfilled, and begin the self-check
    that swaps wait for."""
    gateways = wiring.gateways()
    # The lists are read beside the clock: when that cannot be read, the time of any answer to them is used.
    clock = asyncio.create_task(gateways.clock.now())
    async with asyncio.TaskGroup() as group:
        group.create_task(_recover(client, clock))
        hints = group.create_task(_hint_at_mismatches(gateways, client, clock))
    parts = hints.result()
    if parts.unread:
        reasons = "; ".join(f"{subscription}: {error}" for subscription, error in parts.unread.items())
        total = len(parts.read) + len(parts.unread)
        _log.error("the sweep could not list the VMs of %d of %d subscriptions: %s", len(parts.unread), total, reasons)
    await begin_if_required(client)
    # Without any answer from ARM the sweep has failed.
    await clock


async def _recover(client: DurableFunctionsClient, clock: asyncio.Task[str]) -> None:
    """Send `recover`, which starts again what is gone: it waits for the time only, not for a list."""
    gone = await _find_dead(client)
    try:
        now = await clock
    except GatewayError as error:
        _log.error("the sweep has no time from ARM, so it recovers nothing: %s", error)
        return
    await client.signal_entity(DISPATCHER, Operation.RECOVER, {**gone, "at": now})


async def _hint_at_mismatches(
    gateways: Gateways, client: DurableFunctionsClient, clock: asyncio.Task[str]
) -> Parts[None]:
    """Hint at the VMs of each subscription once it is listed, and at those on the pages before one that failed."""

    async def read(subscription: str) -> None:
        found: dict[str, Vm] = {}

        async def list_mismatches() -> None:
            try:
                async for vm in gateways.compute.list_vms(subscription):
                    if _must_hint(vm):
                        found[vm.id.lower()] = vm
            except Unnamed as error:
                _log.error("the VMs of subscription %s: %s", subscription, error)

        try:
            await read_within(list_mismatches)
        finally:
            await _hint(client, found.values(), clock)

    try:
        subscriptions = await list_subscriptions(gateways)
    except GatewayError as error:
        _log.error("the sweep could not read which subscriptions the management group has: %s", error)
        return Parts({}, {})
    return await read_each(subscriptions, read)


async def _hint(client: DurableFunctionsClient, vms: Iterable[Vm], clock: asyncio.Task[str]) -> None:
    ranked: dict[bool, list[str]] = {True: [], False: []}
    for vm in vms:
        ranked[_is_marked(vm)].append(vm.id)
    # A VM with the mark of a swap may be down: it is looked at before all others.
    for first, ids in ranked.items():
        for batch in batched(ids, swap.VMS_PER_SIGNAL, strict=False):
            hint = {"vms": list(batch), "at": await clock, "source": swap.FROM_SWEEP}
            await client.signal_entity(DISPATCHER, Operation.HINT, {**hint, "first": True} if first else hint)


def _must_hint(vm: Vm) -> bool:
    try:
        return is_worth_a_look(vm)
    except Exception:  # the look reads the VM by itself, and refuses it if it fails as well
        _log.exception("unexpected error about %s", vm.id)
        return True


def _is_marked(vm: Vm) -> bool:
    try:
        return bool(vm.own_tags.refresh_state)
    except Exception:  # logged before
        return False


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
