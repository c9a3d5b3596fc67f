"""Hints and the look that reads them: which VMs are to be looked at, by whom.

Decides that one look is open at a time and that no hint is lost when it dies. See `ledger` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh import messages
from refresh.domain import resource_id
from refresh.entities.turn import Json, Turn

KEEP_BAD = 20


def hint(turn: Turn, data: Mapping[str, Any]) -> None:
    """VMs to look at; while one is being swapped its hint waits until that is over."""
    for text in data["vms"]:
        vm = resource_id.parse_vm(text)
        if vm is None:
            bad = {"operation": "hint", "why": f"not the id of a VM: {str(text)[:120]}"}
            turn.state["bad"] = [*turn.state.get("bad", []), bad][-KEEP_BAD:]
            continue
        row: Json = {"id": vm.text}
        if data.get("force"):
            row["force"] = True
        if data.get("reply_to"):
            row["reply_to"] = [str(data["reply_to"])]
        add_hint(turn.state, vm.key, row)
    open_look(turn, data.get("at"))


def add_hint(state: Json, vm: str, row: Json) -> None:
    """Note that a VM is to be looked at."""
    running = state.get("running", {}).get(vm)
    if running is not None:  # looked at again when its swap is over
        running["again"] = merged(running.get("again"), row)
    else:
        hints = state.setdefault("hints", {})
        hints[vm] = merged(hints.get(vm), row)


def merged(old: Json | None, new: Json) -> Json:
    """Two hints for one VM as one."""
    if old is None:
        return new
    merged = {**old, **new}
    replies = list(dict.fromkeys([*old.get("reply_to", []), *new.get("reply_to", [])]))
    return {**merged, "reply_to": replies} if replies else merged


def open_look(turn: Turn, at: str | None) -> None:
    """Start a look when there are hints and none is open."""
    state = turn.state
    if state.get("look") or not state.get("hints"):
        return
    state["seq"] = state.get("seq", 0) + 1
    name = messages.look_id(state["seq"])
    state["look"] = {"id": name, "since": at, "taken": {}}
    turn.starts.append((messages.LOOK, name, {"look": name, messages.BOUNDED: True}))


def take(turn: Turn, data: Mapping[str, Any]) -> None:
    """Up to 50 hints for the open look; an empty answer ends it. Any other look gets nothing."""
    look = turn.state.get("look")
    turn.answer = {"vms": []}
    if look is None or look["id"] != data["look"]:
        return
    hints: Json = turn.state.get("hints", {})
    # A look that asks again without having answered lost its answer: what it had taken is taken again.
    batch = {**look["taken"], **dict(list(hints.items())[: messages.HINTS_PER_LOOK - len(look["taken"])])}
    turn.state["hints"] = {vm: row for vm, row in hints.items() if vm not in batch}
    if not batch:
        del turn.state["look"]
        return
    turn.state["look"] = {"id": look["id"], "since": data.get("at") or look["since"], "taken": batch}
    turn.answer = {"vms": [_to_look_at(turn.state, vm, row) for vm, row in batch.items()]}


def _to_look_at(state: Json, vm: str, row: Json) -> Json:
    return {
        "vm": row["id"],
        "force": bool(row.get("force")),
        "reply_to": row.get("reply_to", []),
        **remembered(state, vm),
    }


def remembered(state: Json, vm: str) -> Json:
    """What the book knows of a VM: disks it ran, disks and versions found unhealthy on it, runs that are over."""
    return {
        "ran": state.get("ran", {}).get(resource_id.id_hash(vm), []),
        "rejected": rejected_names(state, vm),
        "over": [row["run"] for row in state.get("finished", []) if _is_over(row, vm)],
    }


def _is_over(outcome: Json, vm: str) -> bool:
    # A VM that needs attention may have to be brought up yet.
    return str(outcome["vm"]).lower() == vm and str(outcome["status"]) != "needs-attention"


def rejected_names(state: Json, vm: str) -> list[str]:
    """Disk and version ids found unhealthy on this VM."""
    return sorted({name for row in state.get("rejected", []) if row["vm"] == vm for name in row["names"]})
