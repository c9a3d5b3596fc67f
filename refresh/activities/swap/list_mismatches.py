"""Activity of a look: finds the VMs of a subscription whose tags are not fulfilled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from refresh import wiring
from refresh.domain.azure.vms import Vm
from refresh.gateways.errors import GatewayError
from refresh.reading.fleet.mismatches import collect_mismatches
from refresh.records.swap import VMS_PER_LIST


async def list_mismatches(data: dict[str, Any]) -> dict[str, Any]:
    """The next of these VMs: `{"subscription", "after", "groups", "most"}` to `{"subscription", "vms", "end", "rest"}`.

    Only VMs whose lower-case id is greater than `after`. `groups` are how many VMs of an availability set the queue has
    already; it takes `most` of each, and `skipped` says that more were found. `end`: no VM follows. `error`: why the
    list is incomplete.
    """
    found: dict[str, Vm] = {}
    error = None
    try:
        await collect_mismatches(wiring.gateways(), data["subscription"], found)
    except GatewayError as failed:
        error = f"{failed}"[:300]
    answer = {"subscription": data["subscription"], **choose_vms(found.values(), data)}
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
