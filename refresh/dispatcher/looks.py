"""Hints and the look that reads them: which VMs are to be looked at, by whom.

Decides that one look is open at a time, that no hint is lost when it dies, and which of its answers still count: each
hint is handed out under the number of a batch. See `ledger` for the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from refresh.dispatcher.edits import merge_sources, note_event, source_of
from refresh.dispatcher.effects import Json, Turn
from refresh.domain.terms import resource_id, times
from refresh.records import durable_names, swap

KEEP_BAD = 20
KEEP_FORCED = 200


def hint(turn: Turn, data: Mapping[str, Any]) -> None:
    """VMs to look at; while one is being swapped its hint waits until that is over. Force counts once."""
    note_event(turn.state, data)
    is_forced = bool(data.get("force")) and not _is_known(turn.state, data)
    for text in data["vms"]:
        vm = resource_id.parse_vm(text)
        if vm is None:
            bad = {"operation": "hint", "why": f"not the id of a VM: {str(text)[:120]}"}
            turn.state["bad"] = [*turn.state.get("bad", []), bad][-KEEP_BAD:]
            continue
        row: Json = {"id": vm.text, **source_of(data)}
        if is_forced:
            row["force"] = True
        if data.get("reply_to"):
            row["reply_to"] = [str(data["reply_to"])]
        add_hint(turn.state, vm.key, row)
    open_look(turn, data.get("at"))


def _is_known(state: Json, data: Mapping[str, Any]) -> bool:
    """Whether this very signal came before; a forced one that comes again must not force a later wish."""
    forced: list[str] = state.get("forced", [])
    key = resource_id.id_hash(f"{data.get('reply_to')} {data.get('at')} {data['vms'][:1]}")
    state["forced"] = [*(one for one in forced if one != key), key][-KEEP_FORCED:]
    return key in forced


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
    both = {key: value for key, value in {**old, **new}.items() if key != "swept"} | merge_sources(old, new)
    replies = list(dict.fromkeys([*old.get("reply_to", []), *new.get("reply_to", [])]))
    return {**both, "reply_to": replies} if replies else both


def open_look(turn: Turn, at: str | None) -> None:
    """Start a look when there are hints and none is open."""
    state = turn.state
    if state.get("look") or not state.get("hints"):
        return
    state["seq"] = state.get("seq", 0) + 1
    name = durable_names.look_id(state["seq"])
    state["look"] = {"id": name, "since": at, "taken": {}}
    turn.starts.append((durable_names.LOOK, name, {"look": name, swap.BOUNDED: True}))


def take(turn: Turn, data: Mapping[str, Any]) -> None:
    """Up to 50 hints for the open look, and the number of this batch; an empty answer ends it.

    Any other look gets nothing.
    """
    look = turn.state.get("look")
    turn.answer = {"vms": []}
    if look is None or look["id"] != data["look"]:
        return
    hints: Json = turn.state.get("hints", {})
    number = look.get("batch", 0) + 1
    fresh = dict(list(hints.items())[: swap.HINTS_PER_LOOK - len(look["taken"])])
    # A look that asks again without having answered lost its answer: what it had taken is taken again.
    taken = {**look["taken"]}
    for vm, row in fresh.items():
        taken[vm] = {**merged(taken.get(vm), row), "batch": number}
    turn.state["hints"] = {vm: row for vm, row in hints.items() if vm not in fresh}
    if not taken:
        del turn.state["look"]
        return
    since = times.later(data.get("at"), look.get("since"))
    turn.state["look"] = {"id": look["id"], "since": since, "batch": number, "taken": taken}
    turn.answer = {"vms": [_to_look_at(turn.state, vm, row) for vm, row in taken.items()], "batch": number}


def answer_taken(state: Json, data: Mapping[str, Any], vms: Iterable[str]) -> list[str]:
    """Which of `vms` the look of `data` has just decided about: they are no longer taken.

    What another look says, or this one said of an earlier batch, is old: the VM has been hinted at again since, and may
    have been swapped. A look that an older version of the app began names no batch.
    """
    look = state.get("look")
    if look is None or look["id"] != data.get("look"):
        return []
    number = data.get("batch")
    found = []
    for vm in vms:
        row = look["taken"].get(vm)
        if row is not None and (number is None or row.get("batch", 0) <= number):
            del look["taken"][vm]
            found.append(vm)
    return found


def give_back(turn: Turn, at: str) -> None:
    """Forget the open look, which is dead; what it had taken is hinted at again, and another one may begin."""
    look = turn.state.pop("look")
    turn.lines.append(f"{look['id']} ended without a word; its hints are looked at again")
    for vm, row in look["taken"].items():
        add_hint(turn.state, vm, {key: value for key, value in row.items() if key != "batch"})
    open_look(turn, at)


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
    return str(outcome["vm"]).lower() == vm and str(outcome["status"]) != swap.OutcomeStatus.NEEDS_ATTENTION


def rejected_names(state: Json, vm: str) -> list[str]:
    """Disk and version ids found unhealthy on this VM."""
    return sorted({name for row in state.get("rejected", []) if row["vm"] == vm for name in row["names"]})
