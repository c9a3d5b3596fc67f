"""Activity of a look: reads VMs and decides about each.

Decides how long a VM that cannot be read may delay the others of its batch. Such a VM, and those whose turn does not
come, are left out of the answer: the dispatcher hands them out again with the next batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from refresh import wiring
from refresh.domain.azure.polls import LOOK_LIMIT_S, READ_BUDGET_S
from refresh.domain.azure.vms import Power
from refresh.domain.swap.decision import Decision, Refuse, Revive, Swap, decide_swap, find_lost_swap, is_intent_stale
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.wish import Wish
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.paced_reads import Pace
from refresh.reading.fleet.configured_subscriptions import ConfiguredSubscriptions
from refresh.reading.swap.facts import FactReader, policy_of
from refresh.reading.swap.memory import READS_AT_ONCE, memory_of
from refresh.reading.swap.unforeseen import refuse_unforeseen
from refresh.settings.settings import Settings
from refresh.settings.table import ACTIVITIES_BESIDE_SWAPS, MAX_CONCURRENT_ACTIVITIES, MAX_STARTS

# An entry older than this is of an earlier look.
_FORGOTTEN_S = 120.0


@dataclass
class _SlowVms:
    """Since when (of the loop's time) VMs are read in vain. In this process only: elsewhere a VM is tried anew."""

    since_s: dict[str, float] = field(default_factory=dict)

    def is_over(self, vm_id: str) -> bool:
        """Note that the VM could not be read in time again; whether it is not to be tried any more."""
        now_s = asyncio.get_running_loop().time()
        self.since_s = {vm: at_s for vm, at_s in self.since_s.items() if now_s - at_s < _FORGOTTEN_S}
        if now_s - self.since_s.setdefault(vm_id.lower(), now_s - LOOK_LIMIT_S) < READ_BUDGET_S:
            return False
        self.forget(vm_id)
        return True

    def forget(self, vm_id: str) -> None:
        """Note that the VM was read, or refused."""
        self.since_s.pop(vm_id.lower(), None)


_slow: WeakKeyDictionary[Gateways, _SlowVms] = WeakKeyDictionary()


async def read_hints(data: dict[str, Any]) -> dict[str, Any]:
    """Decide about up to 50 VMs: `{"vms": [{vm, force, reply_to, rejected, ran}]}` to `{"decisions", "budgets"}`.

    A VM is waited for `LOOK_LIMIT_S` seconds. One that has not been read for `READ_BUDGET_S` seconds is refused.
    """
    settings = wiring.settings()
    policy = policy_of(settings)
    gateways = wiring.gateways()
    reader = FactReader(gateways, policy, Pace(), ConfiguredSubscriptions(gateways.graph, settings))
    at_once = asyncio.Semaphore(READS_AT_ONCE)
    slow = _slow.setdefault(gateways, _SlowVms())
    is_stuck = False

    async def decide(row: Mapping[str, Any]) -> dict[str, Any] | None:
        nonlocal is_stuck
        try:
            async with at_once:
                if is_stuck:
                    return None
                async with asyncio.timeout(LOOK_LIMIT_S):
                    facts = await reader.read(row["vm"], **memory_of(row))
            slow.forget(row["vm"])
            return decision_row(row["vm"], facts, decide_swap(facts, policy, force=bool(row.get("force"))))
        except TimeoutError:
            is_stuck = True
            return decision_row(row["vm"], Facts(None, Wish("")), _refuse_slow()) if slow.is_over(row["vm"]) else None
        except Exception as error:  # one VM must not fail the look at the others
            return decision_row(row["vm"], Facts(None, Wish("")), refuse_unforeseen(row["vm"], error))

    try:
        decisions = await asyncio.gather(*(decide(row) for row in data["vms"]))
    finally:
        reader.reads.close()
    rows = [
        {**decision, **{key: row[key] for key in ("force", "reply_to") if row.get(key)}}
        for row, decision in zip(data["vms"], decisions, strict=True)
        if decision is not None
    ]
    return {"decisions": rows, "budgets": budgets(settings)}


def _refuse_slow() -> Refuse:
    return Refuse(
        Reason.UNREADABLE,
        f"the VM or what its swap depends on could not be read within {READ_BUDGET_S:.0f} seconds; "
        "the next sweep has it looked at again",
    )


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
