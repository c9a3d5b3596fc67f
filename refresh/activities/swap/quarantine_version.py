"""Activity: marks an image version that several VMs were rolled back from, so that no VM is swapped to it any more.

The mark is a tag on the version itself: a person sees it, the preflight reads it, and removing it ends the quarantine.
"""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import TAG_WRITE_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.terms import tags
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered


async def quarantine_version(data: dict[str, Any]) -> dict[str, Any]:
    """Mark `version`, rolled back on `vms`, if these are as many as the setting requires; `{"ok", "message"}`.

    A failure is only reported.
    """
    enough = wiring.settings().quarantine_after
    return await quarantine(wiring.gateways(), str(data["version"]), int(data["vms"]), enough)


async def quarantine(gateways: Gateways, version_id: str, vms: int, enough: int) -> dict[str, Any]:
    """The result of `quarantine_version`. The mark counts even where the exclusion from latest is refused."""
    name = "/".join(version_id.split("/")[-3:])
    if vms < enough:
        return {
            "ok": True,
            "message": f"{name} was rolled back on {vms} VM(s); it is quarantined at {enough}",
        }
    mark = {tags.REFRESH_QUARANTINED: f"rolled back on {vms} VMs"}
    try:
        await retry_until_answered(lambda: gateways.tags.merge_tags(version_id, mark), budget_s=TAG_WRITE_BUDGET_S)
        version = await retry_until_answered(
            lambda: gateways.gallery.read_version(version_id), budget_s=TAG_WRITE_BUDGET_S
        )
        if not version.excluded_from_latest:
            await retry_until_answered(
                lambda: gateways.gallery.begin_exclude_version(version_id, version.targets),
                budget_s=TAG_WRITE_BUDGET_S,
            )
    except GatewayError as error:
        why = describe_refusal(error.code, error.message)
        return {"ok": False, "message": f"the image version could not be quarantined: {why} ({name})"[:300]}
    return {"ok": True, "message": f"{name} is quarantined: it was rolled back on {vms} VMs"}
