"""Activity: reads why an image version failed; only the status URL of its operation has that."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import BUDGET_S


async def explain_version(data: dict[str, Any]) -> dict[str, Any]:
    """`{"version", "token"}` to `{"why"}`, a sentence; "reason unknown" when Azure does not return it any more."""
    return {"why": await explain_build(wiring.gateways(), data["version"], data.get("token"))}


async def explain_build(gateways: Gateways, version_id: str, token: str | None) -> str:
    """Why the creation that `token` names failed: Azure's code and message."""
    if not token:
        return "reason unknown"
    try:
        progress = await retry_until_answered(
            lambda: gateways.gallery.version_progress(version_id, token), budget_s=BUDGET_S
        )
    except GatewayError:
        return "reason unknown"
    if progress.state != "Failed" or not progress.code:
        return "reason unknown"
    return f"{progress.code}: {progress.message or 'no message'}"
