"""Activity: takes back the tags that a cancelled run wrote for swaps that have not begun.

`OsDiskName` then names the disk that the VM runs, so nothing is left to do. A tag with another value is a person's.
"""

from __future__ import annotations

import asyncio
from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import READ_BUDGET_S, TAG_WRITE_BUDGET_S
from refresh.domain.azure.vms import Vm
from refresh.domain.swap.plan import NOTICE
from refresh.domain.terms import resource_id, tags
from refresh.domain.vm.wish import disk_of_text, disk_text
from refresh.gateways.errors import GatewayError
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.vm_memory import read_vm_memory
from refresh.records.dispatcher_state import DispatcherState, WayRow

WRITES_AT_ONCE = 4


async def withdraw_wishes(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """What became of up to 50 VMs: `{"withdrawn", "under_way", "left"}`, each a list of their ids.

    The run wrote `disk`, or for each VM what `written` has (by lower-case id), or with `back` its way back. `left`: the
    tag is not the run's, or could not be written. `client` is the durable client that the host binds.
    """
    gateways, at_once = wiring.gateways(), asyncio.Semaphore(WRITES_AT_ONCE)
    state, known = await read_dispatcher_state(client), await read_vm_memory(client, data["vms"])

    async def withdraw(vm_id: str) -> str:
        if _has_begun(state, vm_id):
            return "under_way"
        async with at_once:
            try:
                vm = await retry_until_answered(lambda: gateways.compute.read_vm(vm_id), budget_s=READ_BUDGET_S)
                way = known.way_of(vm_id, state.ways.get(resource_id.id_hash(vm_id)))
                if not _is_the_runs(vm, data, way) or vm.os_disk_id is None:
                    return "left"
                text = disk_text(vm.id, vm.os_disk_id)
                if vm.own_tags.wanted != text:
                    await retry_until_answered(
                        lambda: gateways.tags.merge_tags(vm.id, {tags.OS_DISK_NAME: text}), budget_s=TAG_WRITE_BUDGET_S
                    )
            except GatewayError:
                return "left"
        return "withdrawn"

    found = await asyncio.gather(*(withdraw(vm_id) for vm_id in data["vms"]))
    answer: dict[str, Any] = {"withdrawn": [], "under_way": [], "left": []}
    for vm_id, what in zip(data["vms"], found, strict=True):
        answer[what].append(vm_id)
    return answer


def _has_begun(state: DispatcherState, vm_id: str) -> bool:
    """Whether a swap of the VM is under way; in its notice it has not begun, and reads the tag again."""
    row = state.running.get(vm_id.lower())
    return row is not None and (row.step != NOTICE or row.intent is not None)


def _is_the_runs(vm: Vm, data: dict[str, Any], way: WayRow | None) -> bool:
    wanted = vm.own_tags.wanted
    if data.get("back"):
        named = disk_of_text(vm.id, wanted)
        return way is not None and named is not None and resource_id.id_hash(named) == way.target
    text = (data.get("written") or {}).get(vm.id.lower()) or data.get("disk")
    return bool(text) and wanted.lower() == str(text).lower()
