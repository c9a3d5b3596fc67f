"""Activity: writes the tags of an undone swap: the old disk's name, and the rejected disk where it is at fault."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import TAG_WRITE_BUDGET_S
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id, tags
from refresh.domain.vm.wish import choose_wish, disk_of_text, disk_text
from refresh.gateways.errors import GatewayError
from refresh.reading.calls import late_activity
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.swap.facts import policy_of
from refresh.records.swap import Intent


async def write_rejection(data: dict[str, Any]) -> dict[str, Any]:
    """Write the old disk's name into `OsDiskName` and the new disk into `OsDiskRejected`, unless the tag has changed.

    With `blamed` false `OsDiskRejected` is not written: the failure was not the disk's fault. A late call writes
    nothing: that disk may have been requested again since.
    """
    intent, gateways = Intent.from_json(data["intent"]), wiring.gateways()
    try:
        vm = await retry_until_answered(lambda: gateways.compute.read_vm(data["vm"]), budget_s=TAG_WRITE_BUDGET_S)
        if late_activity.is_late(data.get("asked_at"), vm.read_at):
            return late_activity.too_late()
        known = (resource_id.id_hash(intent.new_disk),)
        wish = choose_wish(vm, policy_of(wiring.settings()).disk_groups, known)
        if not resource_id.same(wish.disk_id, intent.new_disk):
            return {"ok": True, "message": f"{tags.OS_DISK_NAME} names another disk by now and was not changed"}
        written = {tags.OS_DISK_NAME: disk_text(vm.id, intent.old_disk)}
        if data.get("blamed", True):
            written[tags.OS_DISK_REJECTED] = disk_text(vm.id, intent.new_disk)
        previous = _previous_of(vm, intent, blamed=bool(data.get("blamed", True)))
        if previous is not None:
            written[tags.OS_DISK_PREVIOUS] = previous
        # The delete comes first: if the worker dies after it, `OsDiskName` still names the new disk, and a repeated
        # call does the rest.
        stale = vm.own_tags.os_disk_previous
        if previous is None and stale is not None:
            await retry_until_answered(
                lambda: gateways.tags.delete_tags(vm.id, {tags.OS_DISK_PREVIOUS: stale}), budget_s=TAG_WRITE_BUDGET_S
            )
        await retry_until_answered(lambda: gateways.tags.merge_tags(vm.id, written), budget_s=TAG_WRITE_BUDGET_S)
    except GatewayError as error:
        return {"ok": False, "message": str(error)[:300]}
    return {"ok": True}


def _previous_of(vm: Vm, intent: Intent, *, blamed: bool) -> str | None:
    """What `OsDiskPrevious` becomes again: its value before the swap, unless that disk is rejected."""
    if intent.previous is None:
        return None
    named = disk_of_text(vm.id, intent.previous)
    rejected = (intent.new_disk if blamed else None, disk_of_text(vm.id, vm.own_tags.rejected))
    return None if any(resource_id.same(named, disk) for disk in rejected) else intent.previous
