"""Marks an image version that several VMs had to be rolled back from, so that no VM is swapped to it any more.

The mark is a tag on the version itself: people see it, the preflight reads it, and taking it off lifts it.
"""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.patience import TAG_WRITE_BUDGET_S, patiently
from refresh.domain import tags
from refresh.domain.denial import tell_refusal
from refresh.gateway import GatewayError


async def quarantine_version(data: dict[str, Any]) -> dict[str, Any]:
    """Mark `version` if `vms` are enough to blame it; `{"ok", "message"}`. A failure is told and harms nobody."""
    gateways, enough = wiring.gateways(), wiring.settings().quarantine_after
    version, vms = str(data["version"]), int(data["vms"])
    name = "/".join(version.split("/")[-3:])
    if vms < enough:
        return {"ok": True, "message": f"{vms} of {enough} VMs blame {name}"}
    mark = {tags.REFRESH_QUARANTINED: f"rolled back on {vms} VMs"}
    try:
        await patiently(lambda: gateways.tags.merge_tags(version, mark), budget_s=TAG_WRITE_BUDGET_S)
        await patiently(lambda: gateways.gallery.begin_exclude_version(version), budget_s=TAG_WRITE_BUDGET_S)
    except GatewayError as error:
        why = tell_refusal(error.code, error.message)
        return {"ok": False, "message": f"its version could not be quarantined: {why} ({name})"[:300]}
    return {"ok": True, "message": f"{name} is quarantined: {vms} VMs were rolled back from it"}
