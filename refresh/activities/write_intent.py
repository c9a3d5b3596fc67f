"""Before anything is stopped: the swap's intent goes onto the VM in one merge."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.patience import TAG_WRITE_BUDGET_S, patiently
from refresh.gateway import GatewayError


async def write_intent(data: dict[str, Any]) -> dict[str, Any]:
    """Merge `tags` into the VM's, before anything is stopped; `{"ok"}` or `{"ok": false, "message"}`."""
    gateways = wiring.gateways()
    try:
        await patiently(lambda: gateways.tags.merge_tags(data["vm"], data["tags"]), budget_s=TAG_WRITE_BUDGET_S)
    except GatewayError as error:
        return {"ok": False, "message": str(error)[:300]}
    return {"ok": True}
