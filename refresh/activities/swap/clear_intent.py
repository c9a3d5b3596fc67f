"""Activity: removes `RefreshState` when a swap is over."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from refresh import wiring
from refresh.domain.azure.polls import LEFTOVER_LIMIT_S, TAG_WRITE_BUDGET_S
from refresh.domain.terms import tags
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.calls import late_activity
from refresh.reading.calls.retrying import retry_until_answered

# The app's own tag write comes back as an event, which has the VM looked at: a leftover that does not go away, or that
# a policy writes again, would have it removed again every few seconds.
_NOT_AGAIN_S = 240.0

_removed: WeakKeyDictionary[Gateways, dict[tuple[str, str], float]] = WeakKeyDictionary()


def _was_removed(gateways: Gateways, vm_id: str, value: str) -> bool:
    """Whether this process removed the same value minutes ago; if not, note that it is removed now."""
    now_s = asyncio.get_running_loop().time()
    known = {key: at_s for key, at_s in _removed.get(gateways, {}).items() if now_s - at_s < _NOT_AGAIN_S}
    was_removed = (vm_id.lower(), value) in known
    _removed[gateways] = {(vm_id.lower(), value): now_s, **known}
    return was_removed


async def clear_intent(data: dict[str, Any]) -> dict[str, Any]:
    """Remove `RefreshState`; `{"ok"}` or `{"ok": false, "message"}`. A tag that stays after a failure does no harm.

    With `run` the tag is removed only when it names that run: a swap that began since then has its own. For the same
    reason a late call without `run` removes nothing. A look, which names none, must not wait long for one VM.
    """
    try:
        async with asyncio.timeout(None if "run" in data else LEFTOVER_LIMIT_S):
            return await _clear(data)
    except TimeoutError:
        return {"ok": False, "message": f"the tag could not be removed within {LEFTOVER_LIMIT_S:.0f} seconds"}


async def _clear(data: dict[str, Any]) -> dict[str, Any]:
    gateways = wiring.gateways()
    try:
        vm = await retry_until_answered(lambda: gateways.compute.read_vm(data["vm"]), budget_s=TAG_WRITE_BUDGET_S)
        if data.get("run") is None and late_activity.is_late(data.get("asked_at"), vm.read_at):
            return late_activity.too_late()
        value, left = vm.own_tags.refresh_state, vm.own_tags.open_intent
        if value is not None and (left is None or data.get("run") in (None, left.run)):
            if "run" not in data and _was_removed(gateways, vm.id, value):
                return {"ok": False, "message": "the tag is there again although it was removed minutes ago"}
            await retry_until_answered(
                lambda: gateways.tags.delete_tags(vm.id, {tags.REFRESH_STATE: value}), budget_s=TAG_WRITE_BUDGET_S
            )
    except NotFound:
        return {"ok": True}
    except GatewayError as error:
        return {"ok": False, "message": str(error)[:300]}
    return {"ok": True}
