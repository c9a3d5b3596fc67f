"""VMs that were swapped while they did not run: their new disks are still to be proved.

Decides that such a VM is proved, or rolled back, at the first look that finds it running. See `ledger` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.dispatcher.effects import Json
from refresh.dispatcher.looks import add_hint
from refresh.domain.swap.plan import PROVE
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason
from refresh.records import swap

KEEP_UNPROVEN = 500
# What a look may say of a running VM without its disk being any less to be proved.
_HANDS_OFF = (Reason.ON_HOLD, Reason.NOT_IN_SCOPE, Reason.VM_GONE, Reason.UNREADABLE)


def note(state: Json, vm: str, row: Json, outcome: swap.Outcome) -> None:
    """Remember a VM whose swap could not be proved because it did not run; whatever else ends its turn settles it."""
    unproven = state.setdefault("unproven", {})
    if outcome.reason == Reason.NOT_RUNNING and row.get("intent"):
        unproven[vm] = {"id": row["id"], "intent": row["intent"], "at": outcome.ended}
        while len(unproven) > KEEP_UNPROVEN:
            unproven.pop(next(iter(unproven)))
    elif (
        outcome.status not in (swap.OutcomeStatus.REFUSED, swap.OutcomeStatus.SKIPPED)
        or outcome.reason == Reason.VM_GONE
    ):
        unproven.pop(vm, None)


def hint_all(state: Json) -> None:
    """Have every VM that is still to be proved looked at."""
    for vm, row in state.get("unproven", {}).items():
        add_hint(state, vm, {"id": row["id"]})


def forget_if_settled(state: Json, vm: str, row: Mapping[str, Any]) -> None:
    """A VM that is gone, or that decision `row` shows running another disk, has nothing to prove any more."""
    waiting = state.get("unproven", {}).get(vm)
    if waiting is not None and (row["reason"] == Reason.VM_GONE or (row.get("up") and not _runs_it(waiting, row))):
        del state["unproven"][vm]


def is_due(state: Json, vm: str, row: Mapping[str, Any]) -> bool:
    """Whether the VM of decision `row` runs the disk that is still to be proved, and nothing else is asked of it."""
    waiting = state.get("unproven", {}).get(vm)
    if waiting is None or row["decision"] == "swap" or row["reason"] in _HANDS_OFF or not row.get("up"):
        return False
    return _runs_it(waiting, row)


def _runs_it(waiting: Json, row: Mapping[str, Any]) -> bool:
    disk = resource_id.parse(waiting["intent"]["new_disk"])
    return disk is not None and disk.name.lower() == str(row.get("current", "")).lower()


def claim_of(state: Json, vm: str) -> Json:
    """What the claim of a proof begins with: the intent of the swap, as of a VM that runs, and when it ended."""
    waiting = state["unproven"][vm]
    return {"intent": {**waiting["intent"], "was_running": True}, "step": PROVE, "proves_since": waiting["at"]}
