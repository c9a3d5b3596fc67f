"""Activity: writes `OsDiskName` for requests by HTTP, in place of a tag edit."""

from __future__ import annotations

import asyncio
from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import READ_BUDGET_S, TAG_WRITE_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.terms import tags
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.configured_subscriptions import ConfiguredSubscriptions
from refresh.records.swap import OutcomeStatus

WRITES_AT_ONCE = 4


async def write_wishes(data: dict[str, Any]) -> dict[str, Any]:
    """Write `disk` into the tag of up to 50 VMs; `{"rows"}` has one for each VM whose tag was not written."""
    gateways, at_once = wiring.gateways(), asyncio.Semaphore(WRITES_AT_ONCE)
    inside = ConfiguredSubscriptions(gateways.graph, wiring.settings())

    async def write(vm_id: str) -> dict[str, Any] | None:
        async with at_once:
            return await _write(gateways, inside, vm_id, str(data["disk"]))

    rows = await asyncio.gather(*(write(vm_id) for vm_id in data["vms"]))
    return {"rows": [row for row in rows if row is not None]}


async def _write(gateways: Gateways, inside: ConfiguredSubscriptions, vm_id: str, disk: str) -> dict[str, Any] | None:
    try:
        outside = await inside.why_outside(vm_id)
        if outside is not None:
            return tag_row(vm_id, DecisionKind.REFUSE, Reason.OUTSIDE_SUBSCRIPTIONS, outside)
        vm = await retry_until_answered(lambda: gateways.compute.read_vm(vm_id), budget_s=READ_BUDGET_S)
        if vm.own_tags.on_hold:
            return tag_row(
                vm_id, DecisionKind.SKIP, Reason.ON_HOLD, f"{tags.AUTO_REFRESH}=hold: its tag was not written"
            )
        if not vm.own_tags.in_scope:
            return tag_row(vm_id, DecisionKind.SKIP, Reason.NOT_IN_SCOPE, vm.own_tags.why_out_of_scope)
        if vm.own_tags.os_disk_name != disk:
            await retry_until_answered(
                lambda: gateways.tags.merge_tags(vm.id, {tags.OS_DISK_NAME: disk}), budget_s=TAG_WRITE_BUDGET_S
            )
    except NotFound:
        return tag_row(vm_id, DecisionKind.SKIP, Reason.VM_GONE, "the VM does not exist")
    except GatewayError as error:
        why = describe_refusal(error.code, error.message)
        return tag_row(
            vm_id, DecisionKind.REFUSE, Reason.TAGS_NOT_WRITTEN, f"its tag could not be written: {why}"[:200]
        )
    return None


def tag_row(vm_id: str, decision: DecisionKind, reason: Reason, message: str) -> dict[str, Any]:
    """The row of a run about a VM whose tag was not written."""
    status = OutcomeStatus.SKIPPED if decision is DecisionKind.SKIP else OutcomeStatus.REFUSED
    return {"vm": vm_id, "decision": str(decision), "status": str(status), "reason": str(reason), "message": message}
