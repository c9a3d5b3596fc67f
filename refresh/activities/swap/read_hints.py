"""Activity of a look: reads VMs and decides about each."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Coroutine, Mapping, Sequence
from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import LOOK_LIMIT_S, LOOK_READ_BUDGET_S, LOOK_SLOW_BUDGET_S, LOOK_SLOW_LIMIT_S
from refresh.domain.azure.vms import Power
from refresh.domain.swap.decision import Decision, Refuse, Revive, Swap, decide_swap, find_lost_swap, is_intent_stale
from refresh.domain.terms import resource_id
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts, disk_key
from refresh.domain.vm.vm_print import print_of
from refresh.domain.vm.wish import Wish
from refresh.reading.calls.paced_reads import pace_of_decisions
from refresh.reading.fleet.configured_subscriptions import ConfiguredSubscriptions
from refresh.reading.swap.facts import FactReader, policy_of
from refresh.reading.swap.holds import recorded_holds
from refresh.reading.swap.memory import READS_AT_ONCE, memory_of
from refresh.reading.swap.unforeseen import refuse_unforeseen
from refresh.reading.vm_memory import read_vm_memory
from refresh.records.rows import given
from refresh.records.vm_memory import KnownVms
from refresh.settings.settings import Settings
from refresh.settings.table import ACTIVITIES_BESIDE_SWAPS, MAX_CONCURRENT_ACTIVITIES, MAX_STARTS


async def read_hints(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """Decide about a batch of VMs: `{"vms": [{vm, force, reply_to, rejected, ran}]}` to `{"decisions", "budgets"}`.

    A VM that is not read within `LOOK_LIMIT_S` is refused as unreadable, so that the others do not wait for it; one
    whose turn did not come by then is left out. A batch of VMs that were all `slow` before has `LOOK_SLOW_LIMIT_S`.
    `client` is the durable client that the host binds.
    """
    settings = wiring.settings()
    policy = policy_of(settings)
    gateways = wiring.gateways()
    inside = ConfiguredSubscriptions(gateways.graph, settings)
    is_slow = all(row.get("slow") for row in data["vms"])
    budget_s, limit_s = (LOOK_SLOW_BUDGET_S, LOOK_SLOW_LIMIT_S) if is_slow else (LOOK_READ_BUDGET_S, LOOK_LIMIT_S)
    reader = FactReader(
        gateways, policy, pace_of_decisions(), inside, budget_s=budget_s, hold_of=recorded_holds(client)
    )
    at_once = asyncio.Semaphore(READS_AT_ONCE)
    known = await read_vm_memory(client, [row["vm"] for row in data["vms"]])
    begun: set[str] = set()

    async def decide(row: Mapping[str, Any]) -> dict[str, Any]:
        try:
            async with at_once:
                begun.add(row["vm"])
                last = known.fulfilled_of(row["vm"], row.get("fulfilled"))
                recalled = {**row, "ran": known.ran_of(row["vm"], row.get("ran", ())), "fulfilled": last}
                facts = await reader.read(row["vm"], **memory_of(recalled))
            found = decision_row(row["vm"], facts, decide_swap(facts, policy, force=bool(row.get("force"))))
            notes = {**_announced(row["vm"], facts, found, known), **_last_fulfilled(found, facts, last)}
            return {**found, **_from_memory(row["vm"], facts, known), **notes}
        except Exception as error:  # one VM must not fail the look at the others
            return decision_row(row["vm"], Facts(None, Wish("")), refuse_unforeseen(row["vm"], error))

    try:
        decisions = await _within_limit([(row["vm"], decide(row)) for row in data["vms"]], begun, limit_s)
    finally:
        reader.reads.close()
    rows = [
        {**decision, **{key: row[key] for key in ("force", "asked", "reply_to") if row.get(key)}}
        for row, decision in zip(data["vms"], decisions, strict=True)
        if decision is not None
    ]
    return {"decisions": rows, "budgets": budgets(settings)}


async def _within_limit(
    decisions: Sequence[tuple[str, Coroutine[Any, Any, dict[str, Any]]]], begun: Container[str], limit_s: float
) -> list[dict[str, Any] | None]:
    """The decisions about these VMs (ids); the refusal of each that takes longer than `limit_s` seconds.

    None for one whose read was not `begun`: the dispatcher hands it out again with the next batch.
    """
    tasks = {asyncio.ensure_future(decision): vm for vm, decision in decisions}
    if not tasks:
        return []
    _, late = await asyncio.wait(tasks, timeout=limit_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    message = f"the VM could not be read: Azure did not answer within {limit_s:.0f} seconds"
    refusal = Refuse(Reason.UNREADABLE, message)
    nothing = Facts(None, Wish(""))
    refused = {vm: decision_row(vm, nothing, refusal) if vm in begun else None for vm in tasks.values()}
    return [refused[vm] if task in late else task.result() for task, vm in tasks.items()]


def _from_memory(vm_id: str, facts: Facts, known: KnownVms) -> dict[str, Any]:
    """What the dispatcher needs about a VM that is no longer in its state."""
    note, wanted = known.note_about(vm_id), facts.wish.disk_id
    back = bool(wanted) and resource_id.id_hash(wanted or "") in known.ran_of(vm_id)
    return given(back=back, unproven=note.json if note is not None else None)


def _last_fulfilled(found: Mapping[str, Any], facts: Facts, last: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the dispatcher needs about a VM that others have changed, or that runs the disk of its tag again."""
    if last is None or facts.vm is None or facts.vm.os_disk_id is None:
        return {}
    runs = disk_key(facts.vm.unique_id, facts.vm.os_disk_id)
    is_back = found["reason"] == Reason.ALREADY_THERE and (last.get("disk") != runs or "told" in last)
    is_news = is_back or found["reason"] == Reason.CHANGED_BY_OTHERS
    return {"fulfilled": dict(last), "os_disk": runs} if is_news else {}


def _announced(vm_id: str, facts: Facts, found: Mapping[str, Any], known: KnownVms) -> dict[str, Any]:
    """What has been announced about the VM, and whether it still holds."""
    refused = known.refusal_of(vm_id)
    is_read = facts.vm is not None and facts.unreadable is None
    same = refused is not None and facts.vm is not None and refused.about == print_of(facts.vm, facts.wish)
    retried = same and found["decision"] == DecisionKind.SWAP
    outdated = refused is not None and is_read and not same
    return given(told=known.told_of(vm_id), retried=retried, outdated=outdated)


def budgets(settings: Settings) -> dict[str, Any]:
    """The dispatcher's budgets, and whether it requires a self-check first.

    They are sent with the decisions, because an entity reads no settings.
    """
    required = {"selfcheck": True} if settings.selfcheck == "required" else {}
    free = MAX_CONCURRENT_ACTIVITIES - ACTIVITIES_BESIDE_SWAPS - settings.max_swaps
    return {"max_swaps": settings.max_swaps, "max_starts": min(MAX_STARTS, free), **required}


def decision_row(vm_id: str, facts: Facts, decision: Decision) -> dict[str, Any]:
    """A decision as a row for the dispatcher: reason, message, and the disks it is about."""
    kind = DecisionKind.SKIP
    if isinstance(decision, Swap | Revive):
        kind = DecisionKind.SWAP
    elif isinstance(decision, Refuse):
        kind = DecisionKind.REFUSE
    row: dict[str, Any] = {
        "vm": vm_id,
        "decision": str(kind),
        "reason": str(decision.reason),
        "message": decision.message,
    }
    if facts.vm is not None:
        row["current"] = facts.vm.os_disk_name
        row["group"] = facts.vm.availability_set.lower() if facts.vm.availability_set else None
        row["up"] = True if facts.vm.power is Power.RUNNING else None
    row["stale"] = True if is_intent_stale(facts) else None
    row["lost"] = find_lost_swap(facts)
    row["wanted"] = facts.wish.disk_id or facts.wish.text or None
    return {key: value for key, value in row.items() if value is not None}
