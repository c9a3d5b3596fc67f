"""Every few minutes: finds VMs that no event reported, and swaps whose orchestration is gone.

Reads ARM's lists, never Resource Graph, which lags; each subscription by itself, so that one that cannot be read delays
no VM of another. Decides nothing about a VM: it hints at those whose tag and OS disk differ, through the inbox unless
they may be down, and reports which of the dispatcher's claims have no live orchestration.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Any

import azure.functions as func
import grpc
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.dispatcher.lists import HINTS_BEFORE_LIST
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id, times
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.dispatcher_state import DISPATCHER, INBOX, read_dispatcher_state
from refresh.reading.fleet.each_subscription import Parts, read_each
from refresh.reading.fleet.mismatches import collect_mismatches, is_marked
from refresh.reading.fleet.subscription_lists import list_subscriptions
from refresh.reading.instances import is_open
from refresh.reading.vm_memory import read_all_memory
from refresh.records import durable_names, swap
from refresh.records.durable_names import InboxOperation, Operation
from refresh.triggers.http.post_selfcheck import begin_if_required

_log = logging.getLogger(__name__)

# With 2,000 such VMs each is looked at every few hours, besides at every event about it.
UNPROVEN_PER_SWEEP = 20


async def sweep(timer: func.TimerRequest, client: DurableFunctionsClient) -> None:
    """Report claims without a live orchestration, hint at every VM whose tag is not fulfilled, and begin the self-check
    that swaps wait for."""
    gateways = wiring.gateways()
    # The lists are read beside the clock: when that cannot be read, the time of any answer to them is used.
    clock = asyncio.create_task(gateways.clock.now())
    async with asyncio.TaskGroup() as group:
        group.create_task(_recover(client, clock))
        hints = group.create_task(_hint_at_mismatches(gateways, client, clock))
        group.create_task(_hint_at_unproven(client, clock))
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
    await client.signal_entity(INBOX, InboxOperation.RESEND, {"at": now})


async def _hint_at_unproven(client: DurableFunctionsClient, clock: asyncio.Task[str]) -> None:
    """Hint at VMs whose disk is not proved and that are no longer in the dispatcher's state, others in each sweep."""
    try:
        known = await read_all_memory(client, await read_dispatcher_state(client))
    except grpc.RpcError as error:
        _log.error("the sweep could not read which VMs are still to be proved: %r", error)
        return
    vms = [note.id for note in known.unproven()]
    if not vms:
        return
    try:
        now = await clock
    except GatewayError:
        return  # logged where the dead are found
    chosen = sorted(vms, key=lambda vm: resource_id.id_hash(f"{now} {vm}"))[:UNPROVEN_PER_SWEEP]
    hint = {"vms": chosen, "at": now, "source": swap.FROM_SWEEP, "proof": True}
    await client.signal_entity(DISPATCHER, Operation.HINT, hint)


async def _hint_at_mismatches(
    gateways: Gateways, client: DurableFunctionsClient, clock: asyncio.Task[str]
) -> Parts[None]:
    """Hint at the VMs of each subscription once it is listed, and at those on the pages before one that failed."""

    async def read(subscription: str) -> None:
        found: dict[str, Vm] = {}
        try:
            await collect_mismatches(gateways, subscription, found)
        except GatewayError:
            await _hint(client, None, found.values(), clock)
            raise
        await _hint(client, subscription, found.values(), clock)

    try:
        subscriptions = await list_subscriptions(gateways)
    except GatewayError as error:
        _log.error("the sweep could not read which subscriptions the management group has: %s", error)
        return Parts({}, {})
    return await read_each(subscriptions, read)


async def _hint(
    client: DurableFunctionsClient, subscription: str | None, vms: Iterable[Vm], clock: asyncio.Task[str]
) -> None:
    """Hint at the VMs; more than a few of one subscription are a list of it, which the looks read by themselves.

    None for a subscription whose list has failed: looks could not read it either, so each sweep hints at others.
    """
    marked: list[str] = []
    others: list[str] = []
    for vm in vms:
        (marked if is_marked(vm) else others).append(vm.id)
    if not marked and not others:
        return
    swept = {"at": await clock, "source": swap.FROM_SWEEP}
    # A VM with the mark of a swap may be down: it is looked at before all others.
    for batch in batched(marked, swap.VMS_PER_SIGNAL, strict=False):
        await client.signal_entity(DISPATCHER, Operation.HINT, {"vms": list(batch), **swept, "first": True})
    if len(others) > HINTS_BEFORE_LIST and subscription is None:
        others = _turn_of(others, swept["at"])
    if len(others) > HINTS_BEFORE_LIST:
        await client.signal_entity(INBOX, InboxOperation.HINT, {"vms": [], "lists": [subscription], **swept})
    elif others:
        await client.signal_entity(INBOX, InboxOperation.HINT, {"vms": others, **swept})


def _turn_of(vms: Sequence[str], at: str) -> list[str]:
    """Some of the VMs (ids): with each minute, others."""
    now = times.parse(at)
    turn = int(now.timestamp() // 60) if now is not None else 0
    start = turn * HINTS_BEFORE_LIST % len(vms)
    return [*vms[start:], *vms[:start]][:HINTS_BEFORE_LIST]


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
