"""Activity of a look: finds the VMs of a subscription whose tags are not fulfilled."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from refresh import wiring
from refresh.domain.azure.vms import Vm
from refresh.domain.terms.encodable import encodable
from refresh.domain.terms.swap_reason import Reason
from refresh.gateways.errors import GatewayError
from refresh.reading.fleet.configured_subscriptions import ConfiguredSubscriptions
from refresh.reading.fleet.mismatches import collect_mismatches
from refresh.records.swap import VMS_PER_LIST

_log = logging.getLogger(__name__)


async def list_mismatches(data: dict[str, Any]) -> dict[str, Any]:
    """The next of these VMs: `{"subscription", "after", "groups", "most"}` to `{"subscription", "vms", "end", "rest"}`.

    Only VMs whose lower-case id is greater than `after`. `groups` are how many VMs of an availability set the queue has
    already; it takes `most` of each, and `skipped` says that more were found. `end`: no VM follows. `error`: why the
    list is incomplete. A subscription that is not configured is not read, and has none.
    """
    gateways, subscription = wiring.gateways(), str(data["subscription"])
    inside = ConfiguredSubscriptions(gateways.graph, wiring.settings())
    found: dict[str, Vm] = {}
    error = None
    try:
        outside = await inside.why_not_configured(subscription)
        if outside is None:
            await collect_mismatches(gateways, subscription, found)
        else:
            _log.warning("hints at many VMs are left out: %s: %s", Reason.OUTSIDE_SUBSCRIPTIONS, encodable(outside))
    except GatewayError as failed:
        error = f"{failed}"[:300]
    answer = {"subscription": subscription, **choose_vms(found.values(), data)}
    return {**answer, "error": error} if error else answer


def choose_vms(found: Iterable[Vm], data: Mapping[str, Any]) -> dict[str, Any]:
    """Which of the VMs found are the next to be looked at, in the order of their ids."""
    after, most = str(data.get("after") or ""), int(data["most"])
    groups = Counter({str(group): int(count) for group, count in data.get("groups", {}).items()})
    behind = sorted((vm for vm in found if vm.id.lower() > after), key=lambda vm: vm.id.lower())
    vms: list[str] = []
    skipped = False
    read = 0
    for vm in behind:
        if len(vms) >= VMS_PER_LIST:
            break
        read += 1
        group = vm.availability_set.lower() if vm.availability_set else None
        if group is not None and groups[group] >= most:
            skipped = True
            continue
        if group is not None:
            groups[group] += 1
        vms.append(vm.id)
    rest = len(behind) - read
    return {"vms": vms, "end": not rest, "rest": rest} | ({"skipped": True} if skipped else {})
