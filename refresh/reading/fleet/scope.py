"""Which VMs are in scope, and which subscriptions could not be read.

Decides where that is read: from Resource Graph with one query, and from ARM's list for each subscription of which the
query returned no VM. Resource Graph leaves out what the app may not read without an error:
https://learn.microsoft.com/azure/governance/resource-graph/overview#permissions-in-azure-resource-graph
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from refresh.domain.azure.polls import BULK_BUDGET_S, BULK_LIST_LIMIT_S
from refresh.domain.terms import resource_id
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.each_subscription import Parts, raise_if_none
from refresh.reading.fleet.subscription_lists import list_subscriptions, list_vms_of_each

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scope:
    """Ids of the VMs in scope, sorted, and by lower-case subscription why the VMs of the others are not known."""

    vms: tuple[str, ...]
    unread: Mapping[str, GatewayError]


async def find_scope(
    gateways: Gateways, *, budget_s: float = BULK_BUDGET_S, limit_s: float = BULK_LIST_LIMIT_S
) -> Scope:
    """The VMs in scope of every subscription that can be read. GatewayError when there is none of these."""
    subscriptions = await list_subscriptions(gateways)
    queried = await _query(gateways, budget_s)
    found = {vm_id.lower(): vm_id for vm_id in queried}
    # A row without a VM's id answers for no subscription; ARM's list of its subscription is read, too.
    answered = {vm.subscription for vm_id in found if (vm := resource_id.parse_vm(vm_id)) is not None}
    rest = [one for one in subscriptions if one not in answered]
    parts = await list_vms_of_each(gateways, rest, budget_s=budget_s, limit_s=limit_s)
    for part in parts.read.values():
        found.update({key: vm.id for key, vm in part.items() if vm.own_tags.in_scope})
    raise_if_none(Parts(dict.fromkeys([*answered, *parts.read]), parts.unread))
    return Scope(tuple(sorted(found.values(), key=str.lower)), parts.unread)


async def _query(gateways: Gateways, budget_s: float) -> Iterable[str]:
    try:
        return await retry_until_answered(gateways.graph.list_scope, budget_s=budget_s)
    except GatewayError as error:
        _log.warning("Resource Graph did not answer, so every subscription is listed through ARM: %s", error)
        return ()


def unread_rows(unread: Mapping[str, GatewayError], what: str = "its VMs") -> list[dict[str, Any]]:
    """`{"subscription", "reason", "message"}` for each subscription of which `what` could not be listed."""
    return [
        {"subscription": one, "reason": str(MonthReason.NOT_READ), "message": f"{what} could not be listed: {error}"}
        for one, error in unread.items()
    ]
