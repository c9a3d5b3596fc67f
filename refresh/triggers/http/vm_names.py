"""Finds the ids of the VMs that a request names, among the configured subscriptions.

Decides when a name stands for one VM, and the problem when it does not. An ambiguous name is never guessed, and a VM
outside the configured subscriptions is never touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from refresh.domain.azure.polls import LIST_BUDGET_S, LIST_LIMIT_S
from refresh.domain.terms import resource_id
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet import scope
from refresh.reading.fleet.each_subscription import about, raise_if_none
from refresh.reading.fleet.scope import Scope
from refresh.reading.fleet.subscription_lists import list_subscriptions, list_vms_of_each
from refresh.reading.swap.memory import READS_AT_ONCE
from refresh.triggers.http.problem import Problem, ProblemKind

# Up to this many ids are looked up one by one; for more, or for names, all VMs are listed.
_LOOKED_UP_SINGLY = 20
_IDS_SHOWN = 10


async def find_vms(gateways: Gateways, requested: Sequence[str]) -> list[str]:
    """The ids of the VMs that `requested` names, each once, as ARM spells them. Problem names every one not found."""
    subscriptions = await list_subscriptions(gateways)
    ids = [name for name in requested if "/" in name]
    if len(ids) == len(requested) <= _LOOKED_UP_SINGLY:
        known = await _read(gateways, [vm_id for vm_id in ids if _is_inside(vm_id, subscriptions)])
    else:
        parts = raise_if_none(await list_vms_of_each(gateways, subscriptions))
        known = [vm.id for part in parts.read.values() for vm in part.values()]
        _refuse_unread(requested, parts.unread)
    return choose_ids(requested, known, subscriptions)


async def find_scope(gateways: Gateways) -> Scope:
    """Every VM in scope of the subscriptions that can be read, within the time of a request."""
    return await scope.find_scope(gateways, budget_s=LIST_BUDGET_S, limit_s=LIST_LIMIT_S)


def _refuse_unread(requested: Iterable[str], unread: Mapping[str, GatewayError]) -> None:
    """GatewayError when a VM of `requested` can be in an unread subscription: its id is, or it is only a name."""
    for name in requested:
        found = resource_id.parse_vm(name)
        for subscription, error in unread.items():
            if "/" not in name or (found is not None and found.subscription.lower() == subscription):
                raise about(subscription, error)


def choose_ids(requested: Sequence[str], known: Iterable[str], subscriptions: Collection[str]) -> list[str]:
    """The ids among `known` that `requested` names, each once. Raises Problem with an error for each other name."""
    by_id = {vm_id.lower(): vm_id for vm_id in known}
    by_name: dict[str, list[str]] = {}
    for vm_id in by_id.values():
        by_name.setdefault(vm_id.rsplit("/", 1)[-1].lower(), []).append(vm_id)
    chosen: dict[str, str] = {}
    faults: dict[ProblemKind, list[dict[str, str]]] = {}
    for index, name in enumerate(requested):
        found = _choose(name, by_id, by_name, subscriptions)
        if isinstance(found, str):
            chosen.setdefault(found.lower(), found)
        else:
            kind, detail = found
            faults.setdefault(kind, []).append({"pointer": f"#/vms/{index}", "detail": detail})
    if faults:
        # One problem has one kind: a VM that may not be named counts more than one that does not exist.
        kind = next(
            kind
            for kind in (ProblemKind.OUTSIDE_SCOPE, ProblemKind.AMBIGUOUS_VM, ProblemKind.UNKNOWN_VM)
            if kind in faults
        )
        errors = [fault for part in faults.values() for fault in part]
        raise Problem(kind, "; ".join(fault["detail"] for fault in errors[:3]), errors)
    return list(chosen.values())


def _choose(
    name: str, by_id: Mapping[str, str], by_name: Mapping[str, list[str]], subscriptions: Collection[str]
) -> str | tuple[ProblemKind, str]:
    key = name.rstrip("/").lower()
    if "/" in name:
        if not _is_inside(name, subscriptions):
            return ProblemKind.OUTSIDE_SCOPE, f"{name[:200]} is in none of the configured subscriptions"
        return by_id.get(key) or (ProblemKind.UNKNOWN_VM, f"{name[:200]} does not exist")
    found = by_name.get(key, [])
    if len(found) == 1:
        return found[0]
    if not found:
        return ProblemKind.UNKNOWN_VM, f"no VM in the configured subscriptions is called {name}"
    more = f" and {len(found) - _IDS_SHOWN} more" if len(found) > _IDS_SHOWN else ""
    return ProblemKind.AMBIGUOUS_VM, f"{name} may be {' or '.join(found[:_IDS_SHOWN])}{more}; use the full id"


def _is_inside(vm_id: str, subscriptions: Collection[str]) -> bool:
    found = resource_id.parse_vm(vm_id)
    return found is not None and found.subscription.lower() in subscriptions


async def _read(gateways: Gateways, ids: Sequence[str]) -> list[str]:
    at_once = asyncio.Semaphore(READS_AT_ONCE)

    async def read(vm_id: str) -> str | None:
        async with at_once:
            try:
                return (await retry_until_answered(lambda: gateways.compute.read_vm(vm_id), budget_s=LIST_BUDGET_S)).id
            except NotFound:
                return None

    return [vm_id for vm_id in await asyncio.gather(*map(read, ids)) if vm_id is not None]
