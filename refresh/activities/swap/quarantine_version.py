"""Activity: marks an image version that several VMs were rolled back from, so that no VM is swapped to it any more.

The mark is a tag on the version itself: a person sees it, the preflight reads it, and removing it ends the quarantine.
"""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import TAG_WRITE_BUDGET_S
from refresh.domain.azure.quarantine import QuarantineRule, decide_quarantine, find_vms_of_version, is_quarantined
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.terms import tags
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.subscription_lists import list_disks_of_each, list_subscriptions


async def quarantine_version(data: dict[str, Any]) -> dict[str, Any]:
    """Mark `version`, rolled back on the VMs `rejecting`, if the settings' number and share are reached.

    Returns `{"ok", "message", "first"}`; a failure is only reported. An older version of the app sends only their
    number, `vms`.
    """
    settings, version = wiring.settings(), str(data["version"])
    rule = QuarantineRule(settings.quarantine_after, settings.quarantine_share)
    rejecting = [str(vm) for vm in data.get("rejecting") or ()] or [str(number) for number in range(int(data["vms"]))]
    gateways, name = wiring.gateways(), _name_of(version)
    had = await _read_vms_of(gateways, version, data.get("asked_at")) if len(rejecting) >= rule.vms else ()
    verdict = decide_quarantine(rule, rejecting, had)
    if not verdict.due:
        return {"ok": True, "message": f"{name} {verdict.message}"}
    return await quarantine(gateways, version, len(rejecting))


async def quarantine(gateways: Gateways, version_id: str, vms: int) -> dict[str, Any]:
    """Mark a version that was rolled back on `vms` VMs; the result of `quarantine_version`.

    `first` in the result: it had no mark before. The mark counts even where the exclusion from latest is refused.
    """
    name, first = _name_of(version_id), await _is_unmarked(gateways, version_id)
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
    message = f"{name} is quarantined: it was rolled back on {vms} VMs"
    return {"ok": True, "message": message, "first": first}


async def _is_unmarked(gateways: Gateways, version_id: str) -> bool:
    """Whether the version has no mark yet, or that cannot be read: better one event too many than none."""
    try:
        version = await retry_until_answered(
            lambda: gateways.gallery.read_version(version_id), budget_s=TAG_WRITE_BUDGET_S
        )
    except GatewayError:
        return True
    return not is_quarantined(version)


def _name_of(version_id: str) -> str:
    return "/".join(version_id.split("/")[-3:])


async def _read_vms_of(gateways: Gateways, version_id: str, now: str | None) -> set[str] | None:
    """The VMs that got the version this month; None when no subscription can be read.

    One that cannot be read is left out: the share is then too high rather than too low, and the version is kept from
    other VMs.
    """
    try:
        subscriptions = await list_subscriptions(gateways)
        disks = await list_disks_of_each(gateways, subscriptions)
    except GatewayError:
        return None
    if not disks.read:
        return None
    return find_vms_of_version((disk for part in disks.read.values() for disk in part.values()), version_id, now)
