"""Decisions, the queue and who leaves it: from a look's answer to a started swap.

Decides who starts (`domain.admission`) and what is said. See `ledger` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from refresh.dispatcher import unproven_vms
from refresh.dispatcher.edits import is_edit, note_edits
from refresh.dispatcher.effects import Json, Turn
from refresh.dispatcher.looks import add_hint, answer_taken, merged, open_look
from refresh.domain.swap.admission import Admission, AdmissionRow, choose_admissions
from refresh.domain.terms import resource_id, times
from refresh.domain.terms.swap_reason import Reason
from refresh.records import durable_names, swap

KEEP_SAID = 1000
KEEP_SWITCHES = 20
_SKEW_S = 5.0
DEFAULT_MAX_SWAPS = 20
_CLAIM_KEEPS = ("id", "force", "reply_to", "group", "wanted", "intent", "step", "proves_since", "urgent")


def decided(turn: Turn, data: Mapping[str, Any]) -> None:
    """The look's decisions: `swap` goes to the queue, anything else leaves it and is told once.

    Answers which VMs they counted for: none that the look was not, or is no longer, asked about.
    """
    rows = {str(row["vm"]).lower(): row for row in data["decisions"]}
    taken = dict((turn.state.get("look") or {}).get("taken", {}))
    counted = answer_taken(turn.state, data, rows)
    turn.answer = {"vms": counted}
    if counted and data.get("budgets"):
        turn.state["budgets"] = dict(data["budgets"])
    edits = [vm for vm in counted if is_edit(taken[vm], rows[vm], is_news=_is_news(turn.state, rows[vm]))]
    note_edits(turn, [(str(rows[vm]["vm"]), taken[vm]["swept"]) for vm in edits])
    for vm in counted:
        _decide_one(turn, vm, rows[vm], data.get("at"))
    admit(turn, data.get("at"))


def _decide_one(turn: Turn, vm: str, row: Mapping[str, Any], at: str | None) -> None:
    queue = turn.state.setdefault("queue", {})
    if row.get("up") or row["reason"] in (Reason.VM_GONE, Reason.NOT_IN_SCOPE):
        turn.state.get("down", {}).pop(vm, None)
    if row.get("lost") and vm not in turn.state.get("running", {}):
        turn.loud.append(f"lost {row['vm']}: {row['lost']}")
    unproven_vms.forget_if_settled(turn.state, vm, row)
    if row["decision"] == "swap":
        kept = {key: row[key] for key in ("wanted", "group") if row.get(key)}
        if row["reason"] == Reason.RECOVER:
            kept["urgent"] = True
        hint = {key: row[key] for key in ("force", "reply_to") if row.get(key)}
        if vm in turn.state.get("running", {}):
            add_hint(turn.state, vm, {"id": row["vm"], **hint})
        else:
            old = queue.get(vm, {})
            if old.get("proves_since"):  # a newer wish: the disk that was to be proved is on its way out
                old = {"since": old.get("since")}
            if old.get("wanted") != kept.get("wanted"):  # it was this disk that somebody asked for in spite of all
                old = {key: value for key, value in old.items() if key != "force"}
            old = {key: value for key, value in old.items() if key != "urgent"}
            queue[vm] = {**merged(old, {"id": row["vm"], **hint}), **kept, "since": old.get("since", at)}
    elif unproven_vms.is_due(turn.state, vm, row) and vm not in turn.state.get("running", {}):
        old = queue.get(vm, {})
        found = unproven_vms.claim_of(turn.state, vm)
        queue[vm] = {"id": row["vm"], "group": row.get("group"), "since": old.get("since", at), **found}
    else:
        queue.pop(vm, None)
    _say_once(turn, vm, row)


def _is_news(state: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a decision is another one than the last for its VM; not when too many VMs are known to tell."""
    said: Mapping[str, str] = state.get("said", {})
    last = said.get(resource_id.id_hash(str(row["vm"])))
    return last != _what(row) if last is not None else len(said) < KEEP_SAID


def _what(row: Mapping[str, Any]) -> str:
    return resource_id.id_hash(f"{row['decision']} {row['reason']} {row.get('wanted')}")[:8]


def _say_once(turn: Turn, vm: str, row: Mapping[str, Any]) -> None:
    said = turn.state.setdefault("said", {})
    key, what = resource_id.id_hash(vm), _what(row)
    if said.pop(key, None) != what:
        turn.lines.append(f"{row['decision']} {row['vm']}: {row['reason']}: {row.get('message', '')}")
    said[key] = what
    while len(said) > KEEP_SAID:
        said.pop(next(iter(said)))


def admit(turn: Turn, at: str | None) -> None:
    """Start whoever may start now."""
    state = turn.state
    queue, running = state.setdefault("queue", {}), state.setdefault("running", {})
    admission = admission_of(state)
    for vm in admission.admitted:
        # A hint that came meanwhile is answered by this swap, which reads the VM afresh before it does anything; but
        # not one that asks for more than the decision was about.
        hints, row = state.get("hints", {}), queue.pop(vm)
        if not hints.get(vm, {}).get("force"):
            row = merged(row, hints.pop(vm, {}))
        running[vm] = {key: row[key] for key in _CLAIM_KEEPS if key in row}
        start_swap(turn, vm, at)


def admission_of(state: Mapping[str, Any]) -> Admission:
    """Who may start now and who waits for what, as the book stands."""
    queue, running, down = (
        {vm: _row(row) for vm, row in state.get(part, {}).items()} for part in ("queue", "running", "down")
    )
    max_swaps = state.get("budgets", {}).get("max_swaps", DEFAULT_MAX_SWAPS)
    queue = {vm: replace(row, urgent=row.urgent or vm in down) for vm, row in queue.items()}
    return choose_admissions(
        queue,
        running,
        max_swaps=max_swaps,
        paused=bool(state.get("paused")),
        unchecked=is_unchecked(state),
        down=down,
    )


def is_unchecked(state: Mapping[str, Any]) -> bool:
    """Whether a self-check is asked for and the last one did not pass, or was of another package."""
    if not state.get("budgets", {}).get("selfcheck"):
        return False
    last = state.get("selfcheck", {})
    return not (last.get("ok") and last.get("package") == state.get("package"))


def _row(row: Json) -> AdmissionRow:
    intent = row.get("intent") or {}
    disks = (row.get("wanted"), intent.get("old_disk"), intent.get("new_disk"))
    return AdmissionRow(
        row.get("group"),
        frozenset(disk.lower() for disk in disks if disk),
        urgent=bool(intent or row.get("urgent")),
    )


def start_swap(turn: Turn, vm: str, at: str | None) -> None:
    """Give the VM's claim a new number and start its swap; what the number before it says does not count any more."""
    row = turn.state["running"][vm]
    turn.state["seq"] = turn.state.get("seq", 0) + 1
    row.update(n=turn.state["seq"], since=at)
    row.pop("missing", None)
    data = {"vm": row["id"], "n": row["n"], swap.BOUNDED: True}
    turn.starts.append((durable_names.SWAP_VM, durable_names.swap_id(vm, row["n"]), data))


def _switch(state: Json, data: Mapping[str, Any], *, slack_s: float) -> bool:
    """Whether this pause or resume counts: it is new, and not older than the last by more than `slack_s`."""
    last = state.get("switch", {})
    key = data.get("id")
    if key is not None and key in last.get("ids", ()):
        return False
    behind_s = times.seconds_between(data.get("at"), last.get("at")) or 0.0
    ids = [*last.get("ids", ()), *([str(key)] if key is not None else [])][-KEEP_SWITCHES:]
    state["switch"] = {"at": times.later(data.get("at"), last.get("at")), "ids": ids}
    return behind_s <= slack_s


def pause(turn: Turn, data: Mapping[str, Any]) -> None:
    """Admit nobody until resumed. One that comes again, or after a newer resume, does nothing."""
    # ARM's front ends disagree by a second or two: of two that are so close, the brake wins.
    if not _switch(turn.state, data, slack_s=_SKEW_S):
        return
    turn.state["paused"] = {"since": data.get("at"), "why": str(data.get("why", ""))[:200]}


def resume(turn: Turn, data: Mapping[str, Any]) -> None:
    """Admit again. One that comes again, or after a newer pause, does nothing."""
    if not _switch(turn.state, data, slack_s=0.0):
        return
    turn.state.pop("paused", None)
    admit(turn, data.get("at"))
    open_look(turn, data.get("at"))
