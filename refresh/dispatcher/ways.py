"""The ways back of VMs in the dispatcher's state: noted when a swap has put its new disk in.

Decides what a swap leaves as the VM's one way back. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from typing import Any

from refresh.domain.swap.way_back import Way, plan_next_way
from refresh.domain.terms import resource_id
from refresh.records.dispatcher_state import DispatcherState, RunningRow, WayRow
from refresh.records.rows import given


def way_json(state: DispatcherState, vm: str) -> dict[str, Any] | None:
    """The way back of a VM, if the state has it."""
    row = state.ways.get(resource_id.id_hash(vm))
    return row.json if row is not None else None


def note_way(state: DispatcherState, vm: str, row: RunningRow, at: str | None) -> None:
    """Note the way back after the swap of `row`, which put its new disk in."""
    intent = row.intent
    if intent is None or not intent.old_disk or not intent.new_disk:
        return
    if resource_id.same(intent.old_disk, intent.new_disk):
        return
    key = resource_id.id_hash(vm)
    if any(one.vm == vm and intent.old_disk.lower() in one.names for one in state.rejected):
        state.ways.pop(key, None)  # a rejected disk is no way back; the tag may name an earlier one
        return
    known = state.ways.get(key)
    before = Way(known.source, known.target, known.taken) if known is not None else None
    way = plan_next_way(before, row.id, intent.old_disk, intent.new_disk, intent.previous)
    if intent.back is not None and way.taken != intent.back:  # decided with what `vm_memory` has
        way = Way(way.target, way.source, taken=intent.back)
    if way.taken and intent.declined:
        state.declined[key] = intent.declined
    state.ways.pop(key, None)
    state.ways[key] = WayRow(source=way.source, target=way.target, **given(taken=way.taken, at=_to_seconds(at)))


def _to_seconds(at: str | None) -> str | None:
    """A time of Durable, which is UTC, to the second."""
    return f"{at[:19]}Z" if at else None
