"""Claims: who may swap a VM, what he set out to do, how it ended, and what becomes of a claim nobody holds.

Decides that one (vm, n) is one swap, once. See `ledger` for the state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from refresh.dispatcher import unproven_vms
from refresh.dispatcher.effects import Json, Turn
from refresh.dispatcher.looks import add_hint, give_back, open_look, remembered
from refresh.dispatcher.queue import admit, is_unchecked, start_swap
from refresh.domain.swap import plan
from refresh.domain.swap.plan import INTENT, NOTICE, UNDO
from refresh.domain.terms import resource_id, times
from refresh.domain.terms.swap_reason import Reason
from refresh.records import swap
from refresh.records.swap import OutcomeStatus

KEEP_FINISHED = 50
KEEP_REJECTED = 200
KEEP_DISKS_RAN = 3
LOOK_DEAD_AFTER_S = 300
# What an entity starts may begin some seconds later.
LOOK_GONE_AFTER_S = 60
CLAIM_DEAD_AFTER_S = 900
# A claim is only taken for dead when the sweep missed its orchestration twice: a status query can lag behind.
MISSED_BEFORE_DEAD = 2
_LOOKED_AT_AGAIN = (OutcomeStatus.SUCCEEDED, OutcomeStatus.NOT_PROVEN, OutcomeStatus.ROLLED_BACK)


def _mine(turn: Turn, data: Mapping[str, Any]) -> Json | None:
    row: Json | None = turn.state.get("running", {}).get(str(data["vm"]).lower())
    return row if row is not None and row["n"] == data["n"] else None


def claim(turn: Turn, data: Mapping[str, Any]) -> None:
    """Whether swap (vm, n) may go ahead: `yours`, or it ends. A finished n is never yours again."""
    row = _mine(turn, data)
    if row is None:
        turn.answer = swap.Claimed("not-yours").to_json()
        return
    vm = str(data["vm"]).lower()
    row.update(claimed=True, since=times.later(data.get("at"), row.get("since")))
    turn.answer = swap.Claimed(
        answer="yours",
        force=bool(row.get("force")),
        intent=swap.Intent.from_json(row["intent"]) if row.get("intent") else None,
        step=row.get("step"),
        tags=row.get("tags"),
        proves_since=row.get("proves_since"),
        wanted=row.get("wanted"),
        reply_to=tuple(row.get("reply_to", [])),
        **{key: tuple(names) for key, names in remembered(turn.state, vm).items()},
    ).to_json()


def step(turn: Turn, data: Mapping[str, Any]) -> None:
    """Store the step under way; the intent is stored once, its tags until they must have been written."""
    row = _mine(turn, data)
    turn.answer = {"ok": row is not None}
    if row is None:
        return
    if _is_late(row, str(data["step"]), data.get("at")):
        return
    row["since"] = times.later(data.get("at"), row.get("since"))
    if data["step"] == INTENT and _waits_for_check(turn.state, row, data):
        # It was admitted by another package: nothing has been touched, and it is asked for again.
        row.setdefault("again", {"id": row["id"]})
        turn.answer = {"ok": False, "paused": True, "why": "no self-check has passed for this package"}
        return
    noticed = row.get("step") == NOTICE or data.get("noticed")
    if noticed and data["step"] == INTENT and turn.state.get("paused"):
        # Nothing has been touched: a pause during a notice means this VM, too. It is asked for again.
        row.setdefault("again", {"id": row["id"]})
        turn.answer = {"ok": False, "paused": True}
        return
    row.update(step=str(data["step"]), step_n=row["n"], step_at=data.get("at"))
    was = row.pop("attention", None)
    row.pop("attention_reason", None)
    if data.get("attention"):
        row["attention"] = str(data["attention"])[:600]
        row["attention_reason"] = str(data.get("attention_reason") or Reason.NO_CAPACITY)
        if row["attention"] != was:
            turn.loud.append(f"attention {row['id']}: {row['attention']}")
    if data.get("intent") and not row.get("intent"):
        intent = swap.Intent.from_json(data["intent"])
        row["intent"] = intent.to_json()
        _remember_ran(turn.state, str(data["vm"]), intent.old_disk)
        row["tags"] = dict(data.get("tags") or {})
    elif row["step"] != INTENT:
        row.pop("tags", None)


def _is_late(row: Json, step: str, at: str | None) -> bool:
    """Whether a later word of the same run is known already: a swap takes its steps in one order.

    From the way back no run leads forward again: the disk is rejected by then.
    """
    known = str(row.get("step") or "")
    if known.startswith(UNDO) and not step.startswith(UNDO):
        return True
    if row.get("step_n") != row["n"]:
        return False
    new, old = plan.rank_of(step), plan.rank_of(known)
    if new is None or old is None or new == old:
        return (times.seconds_between(at, row.get("step_at")) or 0.0) > 0
    return new < old


def _waits_for_check(state: Json, row: Json, data: Mapping[str, Any]) -> bool:
    is_down = str(data["vm"]).lower() in state.get("down", {})
    urgent = row.get("intent") or row.get("urgent") or data.get("urgent") or is_down
    return is_unchecked(state) and not urgent


def _remember_ran(state: Json, vm: str, disk: str) -> None:
    ran = state.setdefault("ran", {})
    key, what = resource_id.id_hash(vm), resource_id.id_hash(disk)
    ran[key] = [*(old for old in ran.get(key, []) if old != what), what][-KEEP_DISKS_RAN:]


def reject(turn: Turn, data: Mapping[str, Any]) -> None:
    """Remember a disk and its image version as unhealthy on this VM; answers how many VMs blame that version.

    Only of the swap under way: one that is over, and has been followed by another, may be wrong by now.
    """
    row = _mine(turn, data)
    if row is not None:
        vm = str(data["vm"]).lower()
        _remember_rejected(turn.state, vm, (data["disk"], data.get("version")), data.get("at"))
    version = str(data.get("version") or "").lower()
    blaming = {one["vm"] for one in turn.state.get("rejected", []) if version in one["names"]}
    turn.answer = {"ok": row is not None, "vms": len(blaming)}


def _remember_rejected(state: Json, vm: str, disk_and_version: tuple[Any, ...], at: Any) -> None:
    names = sorted({str(name).lower() for name in disk_and_version if name})
    others = [row for row in state.get("rejected", []) if (row["vm"], row["names"]) != (vm, names)]
    state["rejected"] = [*others, {"vm": vm, "names": names, "at": at}][-KEEP_REJECTED:]


def finished(turn: Turn, data: Mapping[str, Any]) -> None:
    """Store the outcome, free the claim, admit the next."""
    row = _mine(turn, data)
    turn.answer = {"ok": row is not None}
    if row is None:
        return
    state, outcome = turn.state, swap.Outcome.from_json(data["outcome"])
    vm = outcome.vm.lower()
    told = turn.loud if outcome.status is OutcomeStatus.NEEDS_ATTENTION else turn.lines
    told.append(f"outcome {json.dumps(outcome.to_json(), sort_keys=True)}")
    state["finished"] = [*state.get("finished", []), outcome.to_json()][-KEEP_FINISHED:]
    if outcome.status is OutcomeStatus.SUCCEEDED and outcome.new_disk:
        state.setdefault("proved", {})[resource_id.id_hash(vm)] = resource_id.id_hash(outcome.new_disk)
    if outcome.status in (OutcomeStatus.SUCCEEDED, OutcomeStatus.NOT_PROVEN) and outcome.new_disk:
        _remember_ran(state, vm, outcome.new_disk)
        state["rejected"] = [
            r for r in state.get("rejected", []) if r["vm"] != vm or outcome.new_disk.lower() not in r["names"]
        ]
    if outcome.reason == Reason.APP_FAILED and row.get("intent"):
        # One attempt is all a wish has. Its own tag write hints at the VM again, and a fault of ours fails every time.
        _remember_rejected(state, vm, (row["intent"]["new_disk"],), data.get("at"))
    del state["running"][vm]
    _note_down(state, vm, row, outcome)
    unproven_vms.note(state, vm, row, outcome)
    # Looked at once more, because a wish may have come meanwhile. After a refusal only if one has: a refusal that
    # the look cannot foresee would otherwise be asked for again at once, for ever. The sweep comes back to it.
    if row.get("again") or outcome.status in _LOOKED_AT_AGAIN:
        add_hint(state, vm, row.get("again") or {"id": row["id"]})
    admit(turn, data.get("at"))
    open_look(turn, data.get("at"))


def _note_down(state: Json, vm: str, row: Json, outcome: swap.Outcome) -> None:
    """A VM that could not be brought up counts as down until a look or a later swap finds it up, or gone."""
    if outcome.status is OutcomeStatus.NEEDS_ATTENTION and (row.get("intent") or {}).get("was_running"):
        state.setdefault("down", {})[vm] = {key: row[key] for key in ("id", "group") if key in row}
    elif outcome.status not in (OutcomeStatus.REFUSED, OutcomeStatus.SKIPPED) or outcome.reason == Reason.VM_GONE:
        state.get("down", {}).pop(vm, None)


def recover(turn: Turn, data: Mapping[str, Any]) -> None:
    """What the sweep found: swaps and the look whose orchestration is gone, and the time to judge the open look by.

    Each sweep counts once, and none after a later one.
    """
    at = str(data["at"])
    if times.not_before(turn.state.get("swept"), at):
        return
    turn.state["swept"] = at
    gone = {(str(row["vm"]).lower(), row["n"]) for row in data.get("gone", [])}
    for vm, row in turn.state.get("running", {}).items():
        if (vm, row["n"]) not in gone:
            row.pop("missing", None)
            continue
        row["missing"] = row.get("missing", 0) + 1
        if row["missing"] >= MISSED_BEFORE_DEAD and _age_s(row.get("since"), at) > CLAIM_DEAD_AFTER_S:
            turn.lines.append(f"swap {row['n']} of {row['id']} ended without a word; starting a recovery")
            start_swap(turn, vm, at)
    unproven_vms.hint_all(turn.state)
    for vm, row in turn.state.get("down", {}).items():
        add_hint(turn.state, vm, {"id": row["id"]})
    look = turn.state.get("look")
    limit_s = LOOK_GONE_AFTER_S if look is not None and data.get("look") == look["id"] else LOOK_DEAD_AFTER_S
    if look is not None and _age_s(look.get("since"), at) > limit_s:
        give_back(turn, at)
    elif look is not None and not look.get("since"):
        look["since"] = at
    admit(turn, at)
    open_look(turn, at)


def _age_s(since: str | None, at: str) -> float:
    return times.seconds_between(since, at) or 0.0
