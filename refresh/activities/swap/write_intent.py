"""Activity: writes the swap's intent onto the VM, in one merge, before anything is stopped."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import TAG_WRITE_BUDGET_S
from refresh.domain.azure.refusals import read_denial
from refresh.domain.terms import tags
from refresh.domain.terms.swap_reason import Reason
from refresh.gateways.errors import GatewayError, NotFound
from refresh.reading.calls import late_activity
from refresh.reading.calls.retrying import retry_until_answered


async def write_intent(data: dict[str, Any]) -> dict[str, Any]:
    """Merge `tags` into the VM's tags; `{"ok"}` or `{"ok": false, "reason", "message"}`.

    An `OsDiskName` among them is the name that `@previous` was resolved to; it is written only while the tag still is
    `@previous`. A late call writes nothing: the swap may be over, and the tag would stay.
    """
    gateways, written = wiring.gateways(), dict(data["tags"])
    try:
        vm = await retry_until_answered(lambda: gateways.compute.read_vm(data["vm"]), budget_s=TAG_WRITE_BUDGET_S)
        if late_activity.is_late(data.get("asked_at"), vm.read_at):
            return late_activity.too_late()
        if not vm.own_tags.wants_previous:
            written.pop(tags.OS_DISK_NAME, None)
        await retry_until_answered(lambda: gateways.tags.merge_tags(data["vm"], written), budget_s=TAG_WRITE_BUDGET_S)
    except NotFound as error:
        return {"ok": False, "reason": str(Reason.VM_GONE), "message": str(error)[:300]}
    except GatewayError as error:
        denial = read_denial(error.code, error.message)
        reason = denial.reason if denial else Reason.TAGS_NOT_WRITTEN
        return {"ok": False, "reason": str(reason), "message": denial.message if denial else str(error)[:300]}
    return {"ok": True}
