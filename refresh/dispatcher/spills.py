"""Keeps the dispatcher's state small: moves what is known about VMs that were not swapped lately to `vm_memory`.

Decides which VMs are moved and when a moved one leaves the state: only after the entity has answered that it has
exactly these contents, and some minutes later, so that a read of the state and then of `vm_memory` finds the VM in one
of them. An older version of the app, which has no such entity, answers nothing, and so nothing leaves.
See `records.dispatcher_state` for the state, `vm_memory.py` for the entity.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from refresh.dispatcher.effects import Effects, Signal
from refresh.domain.terms import resource_id, times
from refresh.records import durable_names
from refresh.records.dispatcher_state import DispatcherState, SpilledRow
from refresh.records.durable_names import VmMemoryOperation
from refresh.records.rows import given

KEEP_VMS = 20
KEEP_UNPROVEN = 10
# What one operation moves, and what is being moved at one time.
VMS_PER_OPERATION = 100
SIGNALS_PER_OPERATION = 8
MOST_AT_ONCE = 300
# An entity sends its answer before it stores its state. One that dies in between does its operation again when the
# message is visible again, after a minute (`controlQueueVisibilityTimeout` in host.json).
SETTLED_AFTER_S = 120.0
SENT_AGAIN_AFTER_S = 1800.0


def spill(effects: Effects, at: str | None) -> None:
    """Remove from the state what `vm_memory` has had for some minutes at time `at`, and send it what is too much."""
    _remove_settled(effects.state, at)
    _send_due(effects, at)


def kept(effects: Effects, data: Mapping[str, Any]) -> None:
    """Note that `vm_memory` has the contents that message `n` sent about `vms`; those that changed since stay."""
    state, vms = effects.state, _unproven_by_hash(effects.state)
    for vm_hash in data["vms"]:
        row = state.spilled.get(vm_hash)
        if row is None or row.n != data["n"]:
            continue
        if row.digest == _digest(_contents(state, vm_hash, vms)):
            state.spilled[vm_hash] = row.without("at").replace(kept=True)
        else:
            del state.spilled[vm_hash]
    _send_due(effects, data.get("at"))


def settle(effects: Effects, vm: str) -> None:
    """Have `vm_memory` remove its note that the disk of a VM (by its lower-case id) is not proved, if it has one."""
    if not effects.state.moved:
        return
    vm_hash = resource_id.id_hash(vm)
    data = {"n": effects.state.next_spill(), "vm": vm_hash}
    key = durable_names.vm_key(vm_hash)
    effects.signals.append(Signal(durable_names.VM_MEMORY, key, VmMemoryOperation.SETTLE, data))


def _send_due(effects: Effects, at: str | None) -> None:
    state = effects.state
    room = min(MOST_AT_ONCE - len(state.spilled), VMS_PER_OPERATION)
    groups: dict[str, list[str]] = {}
    unproven = _unproven_by_hash(state)
    for vm_hash in _due(state, unproven):
        groups.setdefault(durable_names.vm_key(vm_hash), []).append(vm_hash)
    for key, group in islice(groups.items(), SIGNALS_PER_OPERATION):
        if room <= 0:
            return
        n, sent = state.next_spill(), {}
        for vm_hash in group[:room]:
            sent[vm_hash] = _contents(state, vm_hash, unproven)
            state.spilled[vm_hash] = SpilledRow(n=n, digest=_digest(sent[vm_hash]), **given(at=at))
        state.moved, room = True, room - len(sent)
        data = {"n": n, "at": at, "vms": sent}
        effects.signals.append(Signal(durable_names.VM_MEMORY, key, VmMemoryOperation.KEEP, data))


def _due(state: DispatcherState, unproven: Iterable[str]) -> Iterable[str]:
    """The VMs (by hash) that are to be moved, those first that have been in the state for longest."""
    tables = state.read_table("proved"), state.read_table("ran")
    if len(tables[0]) + len(tables[1]) <= KEEP_VMS and len(state.unproven) <= KEEP_UNPROVEN:
        return ()
    moving = state.read_table("spilled")
    known = [vm_hash for vm_hash in dict.fromkeys((*_only(*tables), *tables[1])) if vm_hash not in moving]
    noted = [vm_hash for vm_hash in unproven if vm_hash not in moving]
    return dict.fromkeys((*noted[:-KEEP_UNPROVEN], *known[:-KEEP_VMS]))


def _only(table: Mapping[str, Any], other: Mapping[str, Any]) -> Iterable[str]:
    return (key for key in table if key not in other)


def _remove_settled(state: DispatcherState, at: str | None) -> None:
    unproven = _unproven_by_hash(state) if state.spilled else {}
    for vm_hash, row in list(state.spilled.items()):
        if not row.kept:
            if (times.seconds_between(row.at, at) or 0.0) > SENT_AGAIN_AFTER_S:
                del state.spilled[vm_hash]  # it is due again
            continue
        age_s = times.seconds_between(row.since, at)
        if age_s is None or age_s < 0:
            state.spilled[vm_hash] = row.replace(since=at)
        elif age_s >= SETTLED_AFTER_S:
            del state.spilled[vm_hash]
            if row.digest == _digest(_contents(state, vm_hash, unproven)):
                state.ran.pop(vm_hash, None)
                state.proved.pop(vm_hash, None)
                state.ways.pop(vm_hash, None)
                state.declined.pop(vm_hash, None)
                state.unproven.pop(unproven.get(vm_hash, ""), None)


def _unproven_by_hash(state: DispatcherState) -> dict[str, str]:
    return {resource_id.id_hash(vm): vm for vm in state.unproven}


def _contents(state: DispatcherState, vm_hash: str, unproven: Mapping[str, str]) -> dict[str, Any]:
    note = state.read_table("unproven").get(unproven.get(vm_hash, ""))
    tables = {name: state.read_table(name).get(vm_hash) for name in ("ran", "proved")}
    more = {"way": state.read_table("ways"), "declined": state.read_table("declined")}
    return given(**tables, unproven=note, **{name: table.get(vm_hash) for name, table in more.items()})


def _digest(contents: Mapping[str, Any]) -> str:
    return resource_id.id_hash(json.dumps(contents, sort_keys=True))[:8]
