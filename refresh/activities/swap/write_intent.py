"""Activity: writes the swap's intent onto the VM, in one merge, before anything is stopped."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import TAG_WRITE_BUDGET_S
from refresh.domain.azure.refusals import read_denial
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import tags
from refresh.domain.terms.swap_reason import Reason
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls import late_activity
from refresh.reading.calls.retrying import retry_until_answered


async def write_intent(data: dict[str, Any]) -> dict[str, Any]:
    """Merge `tags` into the VM's tags; `{"ok"}` or `{"ok": false, "reason", "message"}`.

    An `OsDiskName` among them is the name that `@previous` was resolved to; it is written only while the tag still is
    `@previous`. A late call writes nothing: the swap may be over, and the tag would stay.

    With `probe` the tags are removed again: only whether Azure accepts them is of interest.
    """
    gateways, written = wiring.gateways(), dict(data["tags"])
    try:
        vm = await retry_until_answered(lambda: gateways.compute.read_vm(data["vm"]), budget_s=TAG_WRITE_BUDGET_S)
        if late_activity.is_late(data.get("asked_at"), vm.read_at):
            return late_activity.too_late()
        if data.get("probe"):
            await _probe(gateways, vm, written)
            return {"ok": True}
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


async def _probe(gateways: Gateways, vm: Vm, written: dict[str, str]) -> None:
    """Write those of the intent's tags that the VM does not have, and remove them.

    If they stay because the worker dies, no swap is taken up for them: they say that the VM did not run.
    """
    absent = {name: text for name, text in written.items() if tags.value_of(vm.tags, name) is None}
    absent = {name: text.replace(";ran=yes", ";ran=no") for name, text in absent.items()}
    await retry_until_answered(lambda: gateways.tags.merge_tags(vm.id, absent), budget_s=TAG_WRITE_BUDGET_S)
    await retry_until_answered(lambda: gateways.tags.delete_tags(vm.id, absent), budget_s=TAG_WRITE_BUDGET_S)
