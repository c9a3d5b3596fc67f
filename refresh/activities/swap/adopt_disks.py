"""Activity: writes the name of the disk that each VM runs into `OsDiskName`."""

from __future__ import annotations

import asyncio
from typing import Any

from refresh import wiring
from refresh.activities.swap.write_wishes import WRITES_AT_ONCE, tag_row
from refresh.domain.azure.polls import READ_BUDGET_S, TAG_WRITE_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.swap.adoption import Adopt, plan_adoption
from refresh.domain.swap.decision import Skip
from refresh.domain.terms import tags
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.configured_subscriptions import ConfiguredSubscriptions


async def adopt_disks(data: dict[str, Any]) -> dict[str, Any]:
    """Write the tag of up to 50 VMs; `{"rows"}` has one for each VM whose tag was not written and is not right."""
    gateways, at_once = wiring.gateways(), asyncio.Semaphore(WRITES_AT_ONCE)
    inside = ConfiguredSubscriptions(gateways.graph, wiring.settings())

    async def adopt(vm_id: str) -> dict[str, Any] | None:
        async with at_once:
            return await _adopt(gateways, inside, vm_id)

    rows = await asyncio.gather(*(adopt(vm_id) for vm_id in data["vms"]))
    return {"rows": [row for row in rows if row is not None]}


async def _adopt(gateways: Gateways, inside: ConfiguredSubscriptions, vm_id: str) -> dict[str, Any] | None:
    try:
        outside = await inside.why_outside(vm_id)
        if outside is not None:
            return tag_row(vm_id, DecisionKind.REFUSE, Reason.OUTSIDE_SUBSCRIPTIONS, outside)
        vm = await retry_until_answered(lambda: gateways.compute.read_vm(vm_id), budget_s=READ_BUDGET_S)
        planned = plan_adoption(vm)
        if not isinstance(planned, Adopt):
            kind = DecisionKind.SKIP if isinstance(planned, Skip) else DecisionKind.REFUSE
            return tag_row(vm_id, kind, planned.reason, planned.message)
        if planned.text is not None:
            written = {tags.OS_DISK_NAME: planned.text}
            await retry_until_answered(lambda: gateways.tags.merge_tags(vm.id, written), budget_s=TAG_WRITE_BUDGET_S)
    except NotFound:
        return tag_row(vm_id, DecisionKind.SKIP, Reason.VM_GONE, "the VM does not exist")
    except GatewayError as error:
        why = f"its tag could not be written: {describe_refusal(error.code, error.message)}"[:200]
        return tag_row(vm_id, DecisionKind.REFUSE, Reason.TAGS_NOT_WRITTEN, why)
    return None
